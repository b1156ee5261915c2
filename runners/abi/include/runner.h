/*
 * convwise runner ABI, version 1.
 *
 * A runner is a shared library that loads a model file and runs it: one backend (ONNX Runtime, libtorch, ...)
 * behind ten functions. It exports exactly one symbol, convwise_runner_v1, which returns a constant table.
 * This file is the whole contract; it includes nothing but <stddef.h> and <stdint.h>, and serves C99 and C++11.
 *
 * GENERAL RULES
 *
 *  R1  Nothing but a return crosses the boundary: no C++ exception, no panic, no longjmp, no exit(), no abort().
 *      What goes wrong is returned as an error (R5).
 *  R2  Strings are pointer and length, UTF-8, without a terminating zero. A zero length may have any pointer.
 *      Strings, options and tensors passed IN are borrowed for the duration of the call; copy what you keep.
 *  R3  Memory is released by the side that allocated it. The host frees nothing of yours except by calling
 *      release() and error_free().
 *  R4  The host never calls two table functions at once, with one exception: functions that take a session may
 *      run at the same time on DIFFERENT sessions if describe() says "concurrent": true. Calls may come from any
 *      thread, and one session may see several threads one after the other.
 *  R5  A function that returns cw_error* returns NULL for success. Otherwise the error belongs to the runner,
 *      stays valid until the host passes it to error_free(), and the host does so exactly once. After an error,
 *      out-parameters are unspecified and the state is what it was before the call, unless a function says more.
 *  R6  The process is a worker of its own: it holds one runner, its standard input is empty, and what is written to
 *      standard output or standard error becomes diagnostic text. Do not touch file descriptors you did not open.
 *  R7  The library is loaded with local symbols and immediate binding (RTLD_LOCAL | RTLD_NOW) and never unloaded.
 *      A worker that is done ends with _exit(): exit handlers and static destructors do not run.
 *
 * VERSIONS
 *
 *  V1  A change that an existing runner or host cannot survive raises CW_ABI_MAJOR and gives the symbol a new name.
 *  V2  Anything else only APPENDS fields to cw_runner or cw_host, and raises CW_ABI_MINOR. Structures that have no
 *      struct_size (cw_str, cw_option, cw_tensor, cw_error) never change within a major version.
 *  V3  Each side fills struct_size with sizeof of the structure it was compiled with, and reads no field of the
 *      other side's structure that lies beyond the other side's struct_size.
 *  V4  New abilities that not every runner has come as extensions, not as table fields.
 *
 * DOCUMENTS
 *
 *  Documents out are UTF-8 JSON objects; unknown members are ignored by the reader. Options in are key/value
 *  strings, so that a runner written in C never parses JSON. The members of each document stand at its function.
 *  A "dtype" member is one of: f32 u8 i8 u16 i16 i32 i64 bool f16 f64 bf16.
 *
 * STATES of a session
 *
 *      load() --> LOADED --set_input() for every input--> READY --run()--> RAN --run() again--> RAN
 *      set_input() is allowed in every state; RAN then becomes READY: the outputs of the earlier run are gone.
 *      Inputs are kept: run() may be called any number of times on the inputs that were set.
 *      release() ends the session in any state.
 */
#ifndef CONVWISE_RUNNER_H
#define CONVWISE_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CW_ABI_MAJOR 1u
#define CW_ABI_MINOR 0u

/* The one exported symbol. */
#define CW_ENTRY_SYMBOL "convwise_runner_v1"

#if defined(_WIN32)
#define CW_EXPORT __declspec(dllexport)
#else
#define CW_EXPORT __attribute__((visibility("default")))
#endif

/* Error codes (cw_error.code). A code the host does not know counts as CW_ERR_INTERNAL. */
#define CW_ERR_INVALID 1u       /* an argument or option value is wrong; the message names it                  */
#define CW_ERR_UNSUPPORTED 2u   /* the model is fine, but this runner cannot run it; names operator and node   */
#define CW_ERR_MODEL 3u         /* the model file is missing, damaged, or not what its name says               */
#define CW_ERR_UNAVAILABLE 4u   /* something is missing on this machine; the message says how to get it        */
#define CW_ERR_OUT_OF_MEMORY 5u /* host or device memory                                                       */
#define CW_ERR_STATE 6u         /* not allowed in the session's state, e.g. run() before the inputs are set    */
#define CW_ERR_INTERNAL 7u      /* everything else, such as a caught exception                                 */

/* Element types (cw_tensor.dtype); the numbers are ONNX's. Elements are in the machine's byte order. */
#define CW_F32 1u
#define CW_U8 2u
#define CW_I8 3u
#define CW_U16 4u
#define CW_I16 5u
#define CW_I32 6u
#define CW_I64 7u
#define CW_BOOL 9u /* one byte an element: 0 or 1 */
#define CW_F16 10u
#define CW_F64 11u
#define CW_BF16 16u

/* Levels of cw_host.log. */
#define CW_LOG_ERROR 1u
#define CW_LOG_WARN 2u
#define CW_LOG_INFO 3u
#define CW_LOG_DEBUG 4u

/* UTF-8 text; see R2 for ownership. */
typedef struct cw_str {
  const char *ptr;
  size_t len; /* bytes */
} cw_str;

/* One option in. Keys are those that describe() lists; an unknown key is CW_ERR_INVALID, never ignored. */
typedef struct cw_option {
  cw_str key;
  cw_str value;
} cw_option;

/*
 * A dense tensor, row-major, without padding. Borrowed: see set_input() and output() for how long.
 * rank 0 is a scalar (shape may then be NULL). bytes is exactly the element count times the element size.
 * data is aligned to at least the element size.
 */
typedef struct cw_tensor {
  uint32_t dtype; /* CW_F32 ... */
  uint32_t rank;
  const int64_t *shape; /* rank entries, each >= 0 */
  const void *data;
  size_t bytes;
} cw_tensor;

/* An error. The runner may allocate more behind it; the host reads these two fields and calls error_free(). */
typedef struct cw_error {
  uint32_t code;  /* CW_ERR_... */
  cw_str message; /* one sentence, lower case, for a person: what happened, to what, and what to try */
} cw_error;

/* A loaded model with its inputs and outputs. Opaque to the host; owned by the runner. */
typedef struct cw_session cw_session;

/*
 * What the host offers. Passed to the entry; valid until the process ends; never written by the runner.
 */
typedef struct cw_host {
  size_t struct_size;
  uint32_t major;
  uint32_t minor;
  void *ctx; /* hand it back unchanged */
  /* Records a diagnostic line. May be called from any thread at any time, but not between the start and the
   * return of run() if it can be avoided: it writes to a pipe. message is borrowed by the host for the call. */
  void (*log)(void *ctx, uint32_t level, cw_str message);
} cw_host;

/* The runner's table. Constant; valid until the process ends; every function pointer is non-NULL. */
typedef struct cw_runner {
  size_t struct_size; /* sizeof(cw_runner) in the runner's build */
  uint32_t major;     /* CW_ABI_MAJOR in the runner's build */
  uint32_t minor;     /* CW_ABI_MINOR in the runner's build */

  /*
   * What this runner is. Starts nothing: no thread, no device, no native library of the backend is touched.
   * json: valid until the process ends; every call returns the same text.
   *   {"schema":1, "name":"...", "version":"...",          name: as in the manifest; version: of the runner
   *    "backend":"ONNX Runtime 1.31.1",                    optional: the engine behind it, where known unstarted
   *    "formats":["onnx"], "precisions":["fp32"],          precisions: fp32, fp16, bf16, int8
   *    "options":[{"name","default","doc"}],               of probe() and load()
   *    "concurrent":false, "deterministic":true,           deterministic: same input, same output bits
   *    "simulated":false,                                  true: timings are made up and prove nothing
   *    "extensions":["convwise.clock/1"]}
   */
  cw_error *(*describe)(cw_str *json);

  /*
   * Can it run here? May load the backend and look for devices, and must cope with none of them being there:
   * a missing library is an answer, not an error. An error means that probing itself failed.
   * json: valid until the next probe().
   *   {"schema":1, "usable":true, "backend":"...", "devices":[{"id":"cpu","kind":"cpu","name":"..."}],
   *    "missing":[{"what":"libonnxruntime.so","how":"convwise runner install onnxruntime"}]}
   */
  cw_error *(*probe)(const cw_option *options, size_t option_count, cw_str *json);

  /*
   * Loads a model and does everything that can be done once: parse, optimise, compile, allocate. After it, run()
   * must not need to read the file again. path is absolute. On success *session is the runner's, until release().
   * Every runner accepts the option "threads" (a whole number from 1: threads of compute in one run), even if only
   * to refuse values it cannot honour with CW_ERR_INVALID.
   */
  cw_error *(*load)(cw_str path, const cw_option *options, size_t option_count, cw_session **session);

  /*
   * The model's inputs and outputs, in the order of the indices of set_input() and output().
   * json: valid until the next io() on this session or release().
   *   {"schema":1, "inputs":[{"name":"input","dtype":"f32","shape":["N",3,224,224]}], "outputs":[...],
   *    "notes":["..."]}
   * A dimension is a number, or a string (possibly empty) where the size is chosen by set_input(). Where not even the
   * rank is known before a run, an output's shape is exactly ["..."].
   * notes: optional; what a reader of a measurement should know, e.g. which device ran which part.
   */
  cw_error *(*io)(cw_session *session, cw_str *json);

  /*
   * Sets one input. The tensor is borrowed for the call: the runner copies it to where run() reads it (device
   * included), so that a run measures inference. Wrong index, dtype, rank, fixed dimension or byte count:
   * CW_ERR_INVALID, and the earlier input stays.
   */
  cw_error *(*set_input)(cw_session *session, uint32_t index, const cw_tensor *tensor);

  /*
   * One complete, synchronous inference on the inputs that are set. When it returns, what was asked is done:
   * every output is computed and, on a device, the device has finished. The host times this call and nothing
   * else; it must not be made faster by leaving work to output() or to a thread that outlives the call.
   * An input not set yet: CW_ERR_STATE.
   */
  cw_error *(*run)(cw_session *session);

  /*
   * One output of the last run, in state RAN (otherwise CW_ERR_STATE). The runner fills *tensor; what it points to
   * belongs to the runner, is in host memory, and stays valid until the next run(), set_input(), release(), or
   * output() of the same index.
   */
  cw_error *(*output)(cw_session *session, uint32_t index, cw_tensor *tensor);

  /* Ends a session and frees all it holds. Accepts NULL and does nothing then. Cannot fail. */
  void (*release)(cw_session *session);

  /*
   * A named table of further functions, or NULL if this runner does not have it. id is "name/version". The table
   * starts with a size_t struct_size, is constant, and is valid until the process ends. Starts nothing.
   */
  const void *(*extension)(cw_str id);

  /* Frees an error returned by this runner. Accepts NULL and does nothing then. */
  void (*error_free)(cw_error *error);
} cw_runner;

/*
 * Extension "convwise.clock/1": the runner says how long run() and load() took, where it knows better than the host's
 * clock around them: a device timer, or a simulation. The host then records this instead, and says so.
 */
#define CW_EXT_CLOCK "convwise.clock/1"
typedef struct cw_clock {
  size_t struct_size;
  /* Nanoseconds that the last run() of this session took, in state RAN (otherwise CW_ERR_STATE). */
  cw_error *(*last_run_ns)(cw_session *session, uint64_t *ns);
  /* Nanoseconds that load() took for this session; allowed in every state. */
  cw_error *(*load_ns)(cw_session *session, uint64_t *ns);
} cw_clock;

/*
 * The entry. Called once, before anything else; starts nothing. NULL: this runner refuses this host (wrong major).
 * host: see cw_host.
 */
CW_EXPORT const cw_runner *convwise_runner_v1(const cw_host *host);

/* The layout on 64-bit machines, so that a compiler that packs differently fails here and not at run time. */
#if defined(__cplusplus)
#define CW_STATIC_ASSERT(condition, text) static_assert(condition, text)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define CW_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#else
#define CW_STATIC_ASSERT(condition, text) extern int cw_static_assert_failed[(condition) ? 1 : -1]
#endif
#if UINTPTR_MAX == UINT64_MAX
CW_STATIC_ASSERT(sizeof(cw_str) == 16, "cw_str");
CW_STATIC_ASSERT(sizeof(cw_option) == 32, "cw_option");
CW_STATIC_ASSERT(sizeof(cw_tensor) == 32, "cw_tensor");
CW_STATIC_ASSERT(offsetof(cw_tensor, shape) == 8, "cw_tensor.shape");
CW_STATIC_ASSERT(sizeof(cw_error) == 24, "cw_error");
CW_STATIC_ASSERT(offsetof(cw_error, message) == 8, "cw_error.message");
CW_STATIC_ASSERT(sizeof(cw_host) == 32, "cw_host");
CW_STATIC_ASSERT(offsetof(cw_host, log) == 24, "cw_host.log");
CW_STATIC_ASSERT(sizeof(cw_runner) == 96, "cw_runner");
CW_STATIC_ASSERT(offsetof(cw_runner, describe) == 16, "cw_runner.describe");
CW_STATIC_ASSERT(offsetof(cw_runner, run) == 56, "cw_runner.run");
CW_STATIC_ASSERT(offsetof(cw_runner, error_free) == 88, "cw_runner.error_free");
CW_STATIC_ASSERT(sizeof(cw_clock) == 24, "cw_clock");
#endif

#ifdef __cplusplus
}
#endif

#endif /* CONVWISE_RUNNER_H */
