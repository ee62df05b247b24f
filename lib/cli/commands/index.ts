// The commands, in the order in which help shows them.
import type { Command } from 'commander';
import type { Frame } from '../action';
import { createCommand } from './create';
import { deleteCommand } from './delete';
import { listCommand } from './list';
import { planCommand } from './plan';
import { showCommand } from './show';

export const COMMANDS: readonly ((frame: Frame) => Command)[] = [
  listCommand,
  planCommand,
  createCommand,
  showCommand,
  deleteCommand,
];
