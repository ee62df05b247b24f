// Each kind of test is a project of its own: `npx jest --selectProjects unit driver` needs no guest.
const transform = {
  '^.+\\.m?ts$': [
    '@swc/jest',
    { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
  ],
};
const project = (name, more = {}) => ({
  displayName: name,
  rootDir: __dirname,
  cacheDirectory: '<rootDir>/node_modules/.cache/jest', // else it stays in the temporary directory
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform,
  moduleNameMapper: { '^libvirt-disksnapshot$': '<rootDir>/lib' }, // as examples import it
  ...more,
});

module.exports = {
  testTimeout: 60_000, // for a busy machine: what hangs shows all the same; Jest takes it from here alone
  projects: [
    project('unit'),
    project('contract'),
    project('docs'),
    project('driver'),
    project('lifecycle'),
    project('package', {
      globalSetup: '<rootDir>/test/package/pack.ts',
      globalTeardown: '<rootDir>/test/package/unpack.ts',
    }),
    project('guest'),
    project('storage'),
    project('faults'),
    project('soak'),
    // A package of its own, with what it depends on: `npm run setup` installs that.
    project('examples', {
      testMatch: ['<rootDir>/examples/manager/test/**/*.test.ts'],
      moduleNameMapper: {},
      transform: { ...transform, '^.+\\.js$': ['@swc/jest', { module: { type: 'commonjs' } }] },
      // Fastify's dependencies that are ES modules: Node can require them, Jest cannot.
      transformIgnorePatterns: ['/node_modules/(?!(cookie|content-disposition)/)'],
    }),
  ],
};
