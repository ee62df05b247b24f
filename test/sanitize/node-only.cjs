// Loaded by every node of a sanitizer's run: the detector, which comes by LD_PRELOAD, is for node alone. The tools that tests
// start are not ours to judge, and may not bear it: qemu-img under ASan hangs at its end once in forty times.
const children = require('node:child_process');
const { basename } = require('node:path');

const NAME = 'LD_PRELOAD';
const detector = process.env[NAME];
delete process.env[NAME];

const isNode = (file) => basename(file) === basename(process.execPath);
const preload = (further) => [detector, further].filter(Boolean).join(':');

const { spawn } = children.ChildProcess.prototype;
children.ChildProcess.prototype.spawn = function spawnNodeAlone(options) {
  if (!isNode(options.file)) return spawn.call(this, options);
  const isOurs = (pair) => pair.startsWith(`${NAME}=`);
  const further = options.envPairs.find(isOurs)?.slice(NAME.length + 1);
  const envPairs = [...options.envPairs.filter((pair) => !isOurs(pair)), `${NAME}=${preload(further)}`];
  return spawn.call(this, { ...options, envPairs });
};

const { execFileSync } = children;
children.execFileSync = (file, args, options = {}) => {
  const { env = process.env } = options;
  return execFileSync(file, args, isNode(file) ? { ...options, env: { ...env, [NAME]: preload(env[NAME]) } } : options);
};
