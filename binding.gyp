{
  'targets': [{
    'target_name': 'disksnapshot_native',
    'sources': [
      '<!@(node -p "require(\'fs\').readdirSync(\'native\').filter((f) => f.endsWith(\'.cc\')).map((f) => \'native/\' + f).join(\' \')")',
    ],
    'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
    'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    # libvirt's headers only: it is opened at run time, not linked.
    'cflags_cc': ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden', '<!@(pkg-config --cflags libvirt libvirt-qemu)'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++14'],
    # Never unloaded: threads may be inside it for as long as the process lives.
    'ldflags': ['-Wl,-z,nodelete'],
    'libraries': ['-ldl', '-lpthread'],
  }],
}
