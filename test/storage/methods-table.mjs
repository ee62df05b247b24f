// A reporter for Jest: the table of methods, from the tests that fill its cells by their titles (cells.ts). A cell that no
// test fills fails the run. Cells of other hosts are left out where their tests are.
const STATES = ['running, quiesced', 'running, not quiesced', 'off'];
const OPERATIONS = ['create', 'list', 'read', 'revert', 'revert again', 'delete'];
const of = (where, methods, states = STATES) =>
  methods.flatMap((method) => states.map((state) => ({ where, method, state })));
const ROWS = [
  ...of('local', ['qemu', 'qemu, internal', 'btrfs', 'reflink (XFS)', 'rbd', 'plug-in']),
  ...of('far', ['qemu', 'qemu, internal', 'reflink (raw)', 'rbd']),
  ...of('remote', ['lvm', 'qemu', 'btrfs (raw)']),
  ...of('remote', ['btrfs (qcow2)'], ['off']), // refused, whatever the guest does
];
const TITLE = /\[(local|far|remote) \| ([^|\]]+) \| ([^|\]]+) \| ([^|\]]+?)(?: \| ([A-Z_]+))?\]/g;
const WORDS = { passed: 'passed', failed: 'failed', todo: 'to do' };
const REFUSAL = /^[A-Z_]+$/;

const keyOf = (...parts) => parts.join(' | ');

export default class MethodsTable {
  #isWhole;
  #cells = new Map();
  #problems = [];

  constructor({ testPathPatterns, testNamePattern }) {
    this.#isWhole = !testNamePattern && !testPathPatterns?.isSet?.();
  }

  onTestResult(_test, { testResults }) {
    for (const { fullName, status } of testResults) {
      for (const [, where, method, state, operations, refusal] of fullName.matchAll(TITLE)) {
        for (const operation of operations.split(' + ')) {
          const key = keyOf(where, method, state, operation);
          const word = status === 'passed' && refusal ? refusal : (WORDS[status] ?? status);
          if (this.#cells.get(key) !== WORDS.failed) this.#cells.set(key, word);
        }
      }
    }
  }

  onRunComplete() {
    if (this.#cells.size === 0) return;
    const lines = ROWS.map((row) => this.#line(row));
    const known = ROWS.flatMap(({ where, method, state }) =>
      OPERATIONS.map((operation) => keyOf(where, method, state, operation)),
    );
    for (const key of this.#cells.keys()) if (!known.includes(key)) this.#problems.push(`no such cell: ${key}`);
    process.stderr.write(`\n${aligned([['method', 'guest', ...OPERATIONS], ...lines])}\n`);
    for (const problem of this.#problems) process.stderr.write(`${problem}\n`);
  }

  /** Jest fails the run with it. */
  getLastError() {
    if (this.#isWhole && this.#problems.length > 0) return new Error('the table of methods is not complete');
  }

  #line({ where, method, state }) {
    const cells = OPERATIONS.map((operation) => this.#cells.get(keyOf(where, method, state, operation)));
    const isApart = where !== 'local' && ![...this.#cells.keys()].some((key) => key.startsWith(where));
    // What is refused at the start has no rest.
    const isWhole = isApart || REFUSAL.test(cells[0]);
    for (const [at, operation] of OPERATIONS.entries()) {
      if (!isWhole && cells[at] === undefined) this.#problems.push(`empty: ${keyOf(where, method, state, operation)}`);
    }
    return [`${method}, ${where}`, state, ...cells.map((cell) => cell ?? (isApart ? 'apart' : '-'))];
  }
}

function aligned(rows) {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  const line = (row) =>
    row
      .map((text, at) => text.padEnd(widths[at]))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
