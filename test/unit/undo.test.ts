// What must be taken back, in which order, and from when on nothing is.
import { expect, test } from '@jest/globals';
import { UndoLog } from '../../lib/disk-snapshot/undo';

function logged(): { undo: UndoLog; done: string[] } {
  const undo = new UndoLog();
  const done: string[] = [];
  for (const what of ['first', 'second', 'third']) {
    undo.note(what, async () => {
      done.push(what);
      if (what === 'second') throw new Error('on purpose');
    });
  }
  return { undo, done };
}

test('the last step is taken back first; what fails is named, and the rest goes on', async () => {
  const { undo, done } = logged();
  expect(await undo.run()).toMatchObject([{ what: 'second' }]);
  expect(done).toEqual(['third', 'second', 'first']);
});

test.each([
  ['stays where something could not be taken back', 'on purpose', []],
  ['goes last, where all else could', null, ['intent']],
] as const)('what tells others of it %s', async (_, trouble, expected) => {
  const undo = new UndoLog();
  const done: string[] = [];
  const intent = async () => {
    done.push('intent');
  };
  undo.note('the intent', intent, { onlyAfterAll: true });
  undo.note('a file', async () => {
    if (trouble !== null) throw new Error(trouble);
  });
  expect(await undo.run()).toHaveLength(trouble === null ? 0 : 1);
  expect(done).toEqual(expected);
});

test('what turns out to be made by somebody else is struck out', async () => {
  const { undo, done } = logged();
  const strike = undo.note('foreign', async () => {
    done.push('foreign');
  });
  strike();
  await undo.run();
  expect(done).toEqual(['third', 'second', 'first']);
});

test('nothing is taken back twice', async () => {
  const { undo, done } = logged();
  await undo.run();
  expect(await undo.run()).toEqual([]);
  expect(done).toHaveLength(3);
});

test('after the commit nothing is taken back: it is in use', async () => {
  const { undo, done } = logged();
  undo.commit();
  expect(undo.isCommitted).toBe(true);
  expect(await undo.run()).toEqual([]);
  expect(done).toEqual([]);
});
