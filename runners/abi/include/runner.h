/*
 * convwise runner ABI, version 1. Frozen: what follows from V1 and V2 below is all that may still happen to it.
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
  /*
   * Records a diagnostic line; not between the start and the return of run() if it can be avoided: it writes to a pipe.
   * Owner: message is borrowed by the host for the call.   Thread: any, at any time.   State: none.
   */
  void (*log)(void *ctx, uint32_t level, cw_str message);
} cw_host;

/*
 * The runner's table. Constant; valid until the process ends; every function pointer is non-NULL.
 *
 * Each function says who owns what (Owner), from where it may be called (Thread), in which state of a session (State),
 * and which errors it is for (Errors). "Any thread" is always under R4: never two calls at once on one session.
 */
typedef struct cw_runner {
  size_t struct_size; /* sizeof(cw_runner) in the runner's build */
  uint32_t major;     /* CW_ABI_MAJOR in the runner's build */
  uint32_t minor;     /* CW_ABI_MINOR in the runner's build */

  /*
   * What this runner is. Starts nothing: no thread, no device, no native library of the backend is touched.
   *   {"schema":1, "name":"...", "version":"...",          name: as in the manifest; version: of the runner
   *    "backend":"ONNX Runtime 1.31.1",                    optional: the engine behind it, where known unstarted
   *    "formats":["onnx"], "precisions":["fp32"],          precisions: fp32, fp16, bf16, int8
   *    "options":[{"name","default","doc"}],               of probe() and load()
   *    "concurrent":false, "deterministic":true,           deterministic: same input, same output bits
   *    "simulated":false,                                  true: timings are made up and prove nothing
   *    "extensions":["convwise.clock/1"]}
   * Owner:  json is the runner's, valid until the process ends; every call returns the same text.
   * Thread: any, at any time after the entry returned.   State: none.   Errors: CW_ERR_INTERNAL.
   */
  cw_error *(*describe)(cw_str *json);

  /*
   * Can it run here? May load the backend and look for devices, and must cope with none of them being there:
   * a missing library is an answer, not an error. An error means that probing itself failed.
   *   {"schema":1, "usable":true, "backend":"...", "devices":[{"id":"cpu","kind":"cpu","name":"..."}],
   *    "missing":[{"what":"libonnxruntime.so","how":"convwise runner install onnxruntime"}]}
   * Owner:  options are borrowed for the call; json is the runner's, valid until the next probe().
   * Thread: any, not at the same time as another table function.   State: none.
   * Errors: CW_ERR_INVALID for an unknown option or a value that does not fit; CW_ERR_INTERNAL.
   */
  cw_error *(*probe)(const cw_option *options, size_t option_count, cw_str *json);

  /*
   * Loads a model and does everything that can be done once: parse, optimise, compile, allocate. After it, run()
   * must not need to read the file again. path is absolute. A file is hostile until proven otherwise: what is in it
   * must not make the runner crash, hang, or take memory out of proportion.
   * Every runner accepts the option "threads" (a whole number from 1: threads of compute in one run), even if only
   * to refuse values it cannot honour with CW_ERR_INVALID.
   * Owner:  path and options are borrowed for the call; on success *session is the host's to use until release().
   * Thread: any, not at the same time as another table function.   State: makes a session in state LOADED.
   * Errors: CW_ERR_INVALID for options, CW_ERR_MODEL for the file, CW_ERR_UNSUPPORTED for what is in it,
   *         CW_ERR_UNAVAILABLE where the backend or the device is missing, CW_ERR_OUT_OF_MEMORY.
   */
  cw_error *(*load)(cw_str path, const cw_option *options, size_t option_count, cw_session **session);

  /*
   * The model's inputs and outputs, in the order of the indices of set_input() and output().
   *   {"schema":1, "inputs":[{"name":"input","dtype":"f32","shape":["N",3,224,224]}], "outputs":[...],
   *    "notes":["..."],                                    optional: what a reader of a measurement should know
   *    "placement":{"CUDAExecutionProvider":53},           optional: nodes per device or execution provider
   *    "build":{"ns":8200000000,"cached":false}}           optional: the part of load() that compiled for the device,
   *                                                        and whether it was found in a cache
   * A dimension is a number, or a string (possibly empty) where the size is chosen by set_input(). Where not even the
   * rank is known before a run, a shape is exactly ["..."].
   * Owner:  json is the runner's, valid until the next io() on this session or release().
   * Thread: any.   State: every.   Errors: CW_ERR_UNSUPPORTED for a type that cannot be passed; CW_ERR_INTERNAL.
   */
  cw_error *(*io)(cw_session *session, cw_str *json);

  /*
   * Sets one input. The runner copies the tensor to where run() reads it (device included), so that a run measures
   * inference. After an error the earlier input stays, and so does the state.
   * Owner:  tensor, its shape and its data are borrowed for the call.
   * Thread: any.   State: every; LOADED becomes READY once every input is set, RAN becomes READY.
   * Errors: CW_ERR_INVALID for a wrong index, dtype, rank, fixed dimension or byte count; CW_ERR_OUT_OF_MEMORY.
   */
  cw_error *(*set_input)(cw_session *session, uint32_t index, const cw_tensor *tensor);

  /*
   * One complete, synchronous inference on the inputs that are set. When it returns, what was asked is done:
   * every output is computed and, on a device, the device has finished. The host times this call and nothing
   * else; it must not be made faster by leaving work to output() or to a thread that outlives the call.
   * Owner:  nothing changes hands.
   * Thread: any.   State: READY or RAN; becomes RAN; after an error READY.
   * Errors: CW_ERR_STATE where an input is not set; CW_ERR_OUT_OF_MEMORY; CW_ERR_INTERNAL.
   */
  cw_error *(*run)(cw_session *session);

  /*
   * One output of the last run. The runner fills *tensor; what it points to is in host memory.
   * Owner:  *tensor is the host's; its shape and data are the runner's, valid until the next run(), set_input(),
   *         release(), or output() of the same index.
   * Thread: any.   State: RAN.
   * Errors: CW_ERR_STATE in another state; CW_ERR_INVALID for a wrong index.
   */
  cw_error *(*output)(cw_session *session, uint32_t index, cw_tensor *tensor);

  /*
   * Ends a session and frees all it holds. Accepts NULL and does nothing then. Cannot fail.
   * Owner:  session, and everything handed out for it, is gone when it returns.
   * Thread: any.   State: every; ends it.
   */
  void (*release)(cw_session *session);

  /*
   * A named table of further functions, or NULL if this runner does not have it. id is "name/version". Starts nothing.
   * describe() lists the ids. The table starts with a size_t struct_size; V2 and V3 hold for it as for cw_runner.
   * Owner:  id is borrowed for the call; the table is the runner's, constant, valid until the process ends.
   * Thread: any, at any time after the entry returned.   State: none.
   */
  const void *(*extension)(cw_str id);

  /*
   * Frees an error that a function of this runner, or of one of its extensions, returned. Accepts NULL and does
   * nothing then.
   * Owner:  error, and its message, is gone when it returns.
   * Thread: any.   State: none.
   */
  void (*error_free)(cw_error *error);
} cw_runner;

/*
 * Extension "convwise.clock/1": the runner says how long run() and load() took, where it knows better than the host's
 * clock around them: a device timer, or a simulation. The host then records this instead, and says so.
 * Owner: ns is the host's.   Thread: any.   Errors: CW_ERR_STATE.
 */
#define CW_EXT_CLOCK "convwise.clock/1"
typedef struct cw_clock {
  size_t struct_size;
  /* Nanoseconds that the last run() of this session took. State: RAN. */
  cw_error *(*last_run_ns)(cw_session *session, uint64_t *ns);
  /* Nanoseconds that load() took for this session. State: every. */
  cw_error *(*load_ns)(cw_session *session, uint64_t *ns);
} cw_clock;

/*
 * Extension "convwise.profile/1": where the time of a run goes. Profiled runs are slower than run(), and their times
 * are never mixed with it.
 */
#define CW_EXT_PROFILE "convwise.profile/1"
typedef struct cw_profile {
  size_t struct_size;
  /*
   * Runs the model `runs` times (from 1) on the inputs that are set, with the engine's own profiler, and says how long
   * each part took. May load the model again to do so.
   *   {"schema":1, "runs":10,
   *    "layers":[{"node":"/layer1/conv","op":"Conv","provider":"CPUExecutionProvider","ns":81200}]}
   * One entry for each kernel of a run, in the order in which they run. node: the node's name in the model file, or
   * what the engine calls the kernel where it fused several; op: its operator; provider: optional; ns: the median
   * over the runs.
   * Owner:  json is the runner's, valid until the next profile() on this session or release().
   * Thread: any.   State: READY or RAN; becomes READY: the outputs of an earlier run() are gone.
   * Errors: CW_ERR_STATE where an input is not set; CW_ERR_INVALID for runs = 0; as run().
   */
  cw_error *(*profile)(cw_session *session, uint32_t runs, cw_str *json);
} cw_profile;

/*
 * The entry. Called once, before anything else; starts nothing. NULL: this runner refuses this host (wrong major).
 * Owner:  host is the host's, valid until the process ends; the table is the runner's, likewise.
 * Thread: the one that loaded the library.   State: none.
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
CW_STATIC_ASSERT(offsetof(cw_clock, load_ns) == 16, "cw_clock.load_ns");
CW_STATIC_ASSERT(sizeof(cw_profile) == 16, "cw_profile");
#endif

#ifdef __cplusplus
}
#endif

#endif /* CONVWISE_RUNNER_H */
