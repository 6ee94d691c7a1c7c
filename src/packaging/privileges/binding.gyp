{
  'targets': [
    {
      'target_name': 'privileges',
      'sources': ['privileges.c'],
      'cflags': ['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Werror=implicit-function-declaration'],
      # node-gyp links by the C++ compiler, whose library is not used.
      'ldflags': ['-Wl,--as-needed'],
    },
  ],
}
