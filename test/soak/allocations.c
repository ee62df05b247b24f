// What the process has allocated and not freed, by the allocator's own count: mallinfo2 of glibc. It does not grow with what
// the allocator, V8 or the kernel keep for later, as the size of a process does. Node-API is declared here: no header is needed.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_create_double(napi_env, double, napi_value *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

static napi_value allocated(napi_env env, napi_callback_info info) {
  (void)info;
  struct mallinfo2 now = mallinfo2();
  napi_value result = NULL;
  napi_create_double(env, (double)(now.uordblks + now.hblkhd), &result);
  return result;
}

/* So that who measures can be shown a leak: a kilobyte that nobody frees. */
static napi_value leak(napi_env env, napi_callback_info info) {
  (void)info;
  char *lost = malloc(1024);
  if (lost) memset(lost, 1, 1024);
  napi_value result = NULL;
  napi_create_double(env, lost ? 1024 : 0, &result);
  return result;
}

static void add(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value = NULL;
  napi_create_function(env, name, strlen(name), function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  add(env, exports, "allocated", allocated);
  add(env, exports, "leak", leak);
  return exports;
}
