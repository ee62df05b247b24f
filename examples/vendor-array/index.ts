// A storage vendor's method, shipped as a package of its own. Its element has the vendor's own children:
//
//   <diskSnapshot method='vendor-array'>
//     <array folder='/srv/array'/>
//     <volume id='17'/>
//   </diskSnapshot>
import { randomBytes } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { XMLBuilder } from 'fast-xml-parser';
import {
  type MethodContext,
  type MethodDisk,
  type MethodElement,
  type Problem,
  registerSnapshotMethod,
  type SnapshotMethod,
} from 'libvirt-disksnapshot';
import { VendorArray } from './array';

/** Which volume of which array the disk is. */
export interface ArrayData {
  folder: string;
  volume: string;
}

/** All that it takes to find the snapshot again: it is written down in the domain, and may be read on another host. */
export interface ArrayState extends ArrayData {
  snapshot: string;
}

type Context = MethodContext<ArrayData>;
type CutContext = Context & { state: ArrayState };

const xml = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });

export class VendorArrayMethod implements SnapshotMethod<ArrayData, ArrayState> {
  readonly method = 'vendor-array';
  readonly interfaceVersion = 1;
  /** The array copies what has been written to it: what guest and QEMU still hold must be there by then. */
  readonly needs = 'frozen';

  parse({ children }: MethodElement): ArrayData {
    const unknown = children.find(({ name }) => name !== 'array' && name !== 'volume');
    if (unknown) throw new TypeError(`<${unknown.name}> is not known; there are <array> and <volume>`);
    const attribute = (child: string, name: string): string => {
      const value = children.find((one) => one.name === child)?.attributes[name];
      if (!value) throw new TypeError(`<${child} ${name}='…'/> is missing`);
      return value;
    };
    return { folder: attribute('array', 'folder'), volume: attribute('volume', 'id') };
  }

  /** Disks that are volumes of an array get this method without being asked. */
  claims({ sourcePath }: MethodDisk): string | false {
    return (
      sourcePath !== null && VendorArray.is(dirname(sourcePath)) && `${sourcePath} is a volume of a vendor's array`
    );
  }

  dataFor({ sourcePath }: MethodDisk): ArrayData {
    if (sourcePath === null) throw new TypeError('it is no file; say which <array> and <volume> it is');
    return { folder: dirname(sourcePath), volume: basename(sourcePath, '.img') };
  }

  async plan({ data: { folder, volume }, disk, name }: Context) {
    const problem = (code: Problem['code'], message: string) => ({
      problems: [{ code, message }],
      creates: [],
      bytes: 0,
    });
    if (typeof folder !== 'string' || typeof volume !== 'string') {
      return problem('INVALID_ARGUMENT', 'method vendor-array takes { folder, volume }, two strings');
    }
    if (!VendorArray.is(folder)) return problem('NOT_FOUND', `${folder} is no array`);
    const array = new VendorArray(folder);
    const size = await array.size(volume);
    if (size === null) return problem('NOT_FOUND', `the array ${folder} has no volume ${volume}`);
    if (array.image(volume) !== disk.sourcePath) {
      return problem('INVALID_ARGUMENT', `the disk is ${disk.sourcePath}, and volume ${volume} is not that`);
    }
    return { problems: [], creates: [array.image(volume, `${name}-*`)], bytes: size };
  }

  /** An identifier of our own: nobody else's snapshot has it, so whatever has it may be removed. */
  async prepare({ data, name }: Context): Promise<ArrayState> {
    return { ...data, snapshot: `${name.replaceAll('@', '_')}-${randomBytes(4).toString('hex')}` };
  }

  async cut({ state }: CutContext): Promise<ArrayState> {
    await new VendorArray(state.folder).take(state.volume, state.snapshot);
    return state;
  }

  async undo({ state }: CutContext): Promise<void> {
    await new VendorArray(state.folder).remove(state.volume, state.snapshot);
  }

  delete(c: CutContext): Promise<void> {
    return this.undo(c);
  }

  async exists({ state }: CutContext): Promise<boolean> {
    return (await new VendorArray(state.folder).size(state.volume, state.snapshot)) !== null;
  }

  /** Metadata may name any volume: only the disk's own is overwritten. */
  async revert({ state, disk }: CutContext): Promise<void> {
    const array = new VendorArray(state.folder);
    if (array.image(state.volume) !== disk.sourcePath)
      throw new RangeError(`${disk.sourcePath} is another volume by now`);
    await array.restore(state.volume, state.snapshot);
  }

  async backupSource({ state, disk }: CutContext) {
    const file = new VendorArray(state.folder).image(state.volume, state.snapshot);
    return { source: xml.build({ source: { '@file': file } }), format: disk.format ?? 'raw', modifiedDisk: null };
  }
}

/** To be called once by every process that takes, lists, deletes or recovers snapshots of this method. */
export const registerVendorArray = (): Disposable => registerSnapshotMethod(new VendorArrayMethod());
