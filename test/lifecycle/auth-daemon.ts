// A private daemon that asks who is there: for a password by SASL, on its socket or over TLS, with a certificate authority of
// its own. Over TCP it asks nothing.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { run } from '../../lib/testing/command';
import { PrivateLibvirtd } from '../../lib/testing/private-libvirtd';
import { temporaryDirectory } from '../../lib/testing/scratch';

export const USER = 'operator';
/** Found nowhere by chance. */
export const PASSWORD = 'p4ssword-8f1e5c0d';

export interface AuthDaemon extends AsyncDisposable {
  readonly daemon: PrivateLibvirtd;
  /** For `pkipath=`: the authority's certificate, and a client's of it. */
  readonly pki: string;
  /** qemu+tls, with that client's certificate. */
  readonly tlsUri: string;
  /** qemu+tcp: nobody is asked for anything. */
  readonly tcpUri: string;
  /** From the next connection on. */
  setPassword(password: string): Promise<void>;
}

export async function authDaemon(mechanism: 'scram-sha-256' | 'digest-md5' | 'plain'): Promise<AuthDaemon> {
  const directory = await temporaryDirectory('auth');
  try {
    const users = join(directory, 'users.db');
    const setPassword = async (password: string): Promise<void> => {
      await run('saslpasswd2', ['-p', '-c', '-a', 'libvirt', '-f', users, USER], { input: password });
    };
    await setPassword(PASSWORD);
    const sasl = [
      `mech_list: ${mechanism}`,
      'pwcheck_method: auxprop',
      'auxprop_plugin: sasldb',
      `sasldb_path: ${users}`,
    ];
    await writeFile(join(directory, 'libvirt.conf'), `${sasl.join('\n')}\n`);

    const pki = join(directory, 'pki');
    await mkdir(pki);
    await authority(pki);
    await certificate(pki, 'server', ['subjectAltName=DNS:localhost,IP:127.0.0.1', 'extendedKeyUsage=serverAuth']);
    await certificate(pki, 'client', ['extendedKeyUsage=clientAuth']);

    const [port, tcpPort] = [await freePort(), await freePort()];
    const daemon = await PrivateLibvirtd.start({
      args: ['--listen'],
      environment: { SASL_CONF_PATH: directory },
      configuration: [
        'auth_unix_rw = "sasl"',
        'auth_tls = "sasl"',
        'listen_tls = 1',
        'listen_tcp = 1',
        'auth_tcp = "none"',
        `tcp_port = "${tcpPort}"`,
        'listen_addr = "127.0.0.1"',
        `tls_port = "${port}"`,
        `ca_file = "${join(pki, 'cacert.pem')}"`,
        `cert_file = "${join(pki, 'servercert.pem')}"`,
        `key_file = "${join(pki, 'serverkey.pem')}"`,
        'log_filters = "1:rpc 1:daemon.remote"',
        'log_outputs = "1:file:/var/log/libvirt/libvirtd.log"',
      ],
    });
    return {
      daemon,
      pki,
      tlsUri: `qemu+tls://localhost:${port}/system?pkipath=${pki}`,
      tcpUri: `qemu+tcp://127.0.0.1:${tcpPort}/system`,
      setPassword,
      async [Symbol.asyncDispose]() {
        await daemon.close();
        await rm(directory, { recursive: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Its certificate and key, for two days. */
export async function authority(folder: string): Promise<void> {
  const [key, out] = [join(folder, 'cakey.pem'), join(folder, 'cacert.pem')];
  const extensions = extension('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign');
  const subject = ['-subj', '/CN=authority of a test', '-days', '2'];
  await run('openssl', ['req', '-x509', ...KEY, '-keyout', key, '-out', out, ...subject, ...extensions]);
}

export async function certificate(folder: string, name: string, extensions: readonly string[]): Promise<void> {
  const file = (kind: string) => join(folder, `${name}${kind}.pem`);
  const all = extension('basicConstraints=CA:FALSE', 'keyUsage=digitalSignature,keyEncipherment', ...extensions);
  const request = ['-keyout', file('key'), '-out', file('request'), '-subj', `/CN=${name}`];
  await run('openssl', ['req', ...KEY, ...request, ...all]);
  const signer = ['-CA', join(folder, 'cacert.pem'), '-CAkey', join(folder, 'cakey.pem'), '-CAcreateserial'];
  const signed = ['-in', file('request'), '-out', file('cert'), '-days', '2', '-copy_extensions', 'copyall'];
  await run('openssl', ['x509', '-req', ...signer, ...signed]);
}

const extension = (...lines: string[]) => lines.flatMap((line) => ['-addext', line]);

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
