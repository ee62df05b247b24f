// The commands, in the order in which help shows them.
import type { Command } from 'commander';
import type { Frame } from '../action';
import { adoptCommand } from './adopt';
import { backupCommand } from './backup';
import { completionCommand } from './completion';
import { createCommand } from './create';
import { deleteCommand } from './delete';
import { doctorCommand } from './doctor';
import { exportCommand } from './export';
import { listCommand } from './list';
import { planCommand } from './plan';
import { quiesceCommand } from './quiesce';
import { recoverCommand } from './recover';
import { revertCommand } from './revert';
import { showCommand } from './show';
import { treeCommand } from './tree';

export const COMMANDS: readonly ((frame: Frame) => Command)[] = [
  listCommand,
  planCommand,
  createCommand,
  showCommand,
  treeCommand,
  deleteCommand,
  revertCommand,
  exportCommand,
  backupCommand,
  adoptCommand,
  quiesceCommand,
  recoverCommand,
  doctorCommand,
  completionCommand,
];
