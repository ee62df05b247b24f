// What the guard remembers of what it was told.
import { expect, test } from '@jest/globals';
import { Credentials } from '../../lib/disk-snapshot/guard/credentials';
import { type AuthCredential, ConnectCredentialType } from '../../lib/libvirt';

const question = (prompt: string, challenge: string | null = null): AuthCredential => ({
  type: ConnectCredentialType.PASSPHRASE,
  prompt,
  challenge,
  defaultResult: null,
});
const password = question('Password');
const silent = () => new Promise<never>(() => undefined);

/** What is answered in turn; then nobody is left to ask. */
function told(...turns: (() => Promise<(string | null)[]>)[]) {
  let asked = 0;
  return new Credentials(async () => turns[asked++]?.() ?? []);
}
const says =
  (...answers: (string | null)[]) =>
  async () =>
    answers;

test('what was answered stands when nobody is left to ask', async () => {
  const credentials = told(says('first'));
  expect(await credentials.answer(1, [password])).toEqual(['first']);
  expect(await credentials.answer(1, [password])).toEqual(['first']);
});

test('one that can answer is asked anew, and the new answer stands', async () => {
  const credentials = told(says('first'), says('second'));
  await credentials.answer(1, [password]);
  expect(await credentials.answer(1, [password])).toEqual(['second']);
  expect(await credentials.answer(1, [password])).toEqual(['second']);
});

test('what is left out takes no answer away, and one that is stuck keeps nobody waiting', async () => {
  const credentials = told(says('first'), says(null), silent);
  await credentials.answer(1, [password]);
  expect(await credentials.answer(1, [password])).toEqual(['first']);
  expect(await credentials.answer(1, [password])).toEqual(['first']);
});

test('who has never answered is given the time', async () => {
  const credentials = new Credentials(() => new Promise((resolve) => setTimeout(resolve, 1_500, ['late'])));
  expect(await credentials.answer(1, [password])).toEqual(['late']);
});

test('questions of one type are told apart, by all that was said in asking', async () => {
  const questions = [question('Key of the gate'), question('Key of the house'), question('Number', '1234')];
  const credentials = told(says('gate', 'house', '5678'));
  await credentials.answer(1, questions);
  const again = [question('Key of the house'), question('Number', '4321'), question('Key of the gate')];
  expect(await credentials.answer(1, again)).toEqual(['house', null, 'gate']);
});

test('an answer is for its own connection, and goes with it', async () => {
  const credentials = told(says('first'));
  await credentials.answer(1, [password]);
  expect(await credentials.answer(2, [password])).toEqual([null]);
  credentials.forget(1);
  expect(await credentials.answer(1, [password])).toEqual([null]);
});
