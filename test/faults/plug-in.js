// A method that comes from outside, for each process that has to know it: it keeps a clone of an image beside it.
const { constants } = require('node:fs');
const { access, copyFile, rename, rm } = require('node:fs/promises');

const places = ({ disk, name }) => ({ image: disk.sourcePath, clone: `${disk.sourcePath}@${name}` });
/** Of a revert that was interrupted, beside the clone itself. */
const begun = (clone) => `${clone}.part`;

async function remove({ state: { clone } }) {
  for (const file of [clone, begun(clone)]) await rm(file, { force: true });
}

exports.plugIn = {
  method: 'plug-in',
  interfaceVersion: 1,
  needs: 'frozen',
  parse: () => ({}),
  plan: async (c) => ({ problems: [], creates: [places(c).clone], bytes: 0 }),
  prepare: async (c) => places(c),
  async cut({ state }) {
    await copyFile(state.image, state.clone, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return state;
  },
  undo: remove,
  delete: remove,
  exists: ({ state: { clone } }) =>
    access(clone).then(
      () => true,
      () => false,
    ),
  async revert({ state: { image, clone } }) {
    await copyFile(clone, begun(clone), constants.COPYFILE_FICLONE_FORCE);
    await rename(begun(clone), image);
  },
  backupSource: async ({ state: { clone }, disk }) => ({
    source: `<source file='${clone}'/>`,
    format: disk.format,
    modifiedDisk: null,
  }),
};
