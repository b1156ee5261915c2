/* A runner in C that breaks one rule of the contract, chosen at compile time. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

#ifndef MAJOR
#define MAJOR CW_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR CW_ABI_MINOR
#endif
#ifndef SIZE
#define SIZE sizeof(cw_runner)
#endif
#ifndef RUN
#define RUN run
#endif
#ifndef DESCRIPTION
#define DESCRIPTION "{\"schema\":1,\"name\":\"broken\",\"version\":\"0.0.1\"}"
#endif
#ifndef OUTPUT_BYTES
#define OUTPUT_BYTES 8
#endif
#ifndef OUTPUT_DATA
#define OUTPUT_DATA values
#endif

static cw_str text(const char *chars) {
  cw_str str = {chars, strlen(chars)};
  return str;
}

static cw_error *describe(cw_str *json) {
  *json = text(DESCRIPTION);
  return NULL;
}

static cw_error *probe(const cw_option *options, size_t option_count, cw_str *json) {
  (void)options, (void)option_count;
  *json = text("{\"schema\":1,\"usable\":true}");
  return NULL;
}

/* Errors are counted, so that one that is never freed, or twice, is seen: a message says how many are alive. */
static int alive = 0;
static char message[32];

static cw_error *refuse(void) {
  cw_error *error = malloc(sizeof *error);
  if (error == NULL) return NULL;
  alive++;
  memcpy(message, "errors alive: 0", 16);
  message[14] = (char)('0' + alive);
  error->code = CW_ERR_STATE;
  error->message = text(message);
  return error;
}

static cw_error *run(cw_session *session);

static cw_error *load(cw_str path, const cw_option *options, size_t option_count, cw_session **session) {
  static int something;
  (void)run; /* in case the table lacks it */
  (void)path, (void)options, (void)option_count;
#ifdef NO_SESSION
  (void)something;
  *session = NULL;
#else
  *session = (cw_session *)&something;
#endif
  return NULL;
}

static cw_error *io(cw_session *session, cw_str *json) {
  (void)session;
  *json = text("{\"schema\":1,\"inputs\":[],\"outputs\":[{\"name\":\"y\",\"dtype\":\"f32\",\"shape\":[2]}]}");
  return NULL;
}

static cw_error *set_input(cw_session *session, uint32_t index, const cw_tensor *tensor) {
  (void)session, (void)index, (void)tensor;
  return refuse();
}

static cw_error *run(cw_session *session) {
  (void)session;
  return NULL;
}

static cw_error *output(cw_session *session, uint32_t index, cw_tensor *tensor) {
  static const float values[2] = {1.0f, 2.0f};
  static const int64_t shape[1] = {2};
  (void)session, (void)index, (void)values;
  tensor->dtype = CW_F32;
  tensor->rank = 1;
  tensor->shape = shape;
  tensor->data = OUTPUT_DATA;
  tensor->bytes = OUTPUT_BYTES;
  return NULL;
}

static void release(cw_session *session) { (void)session; }

static const void *extension(cw_str id) {
  (void)id;
  return NULL;
}

static void error_free(cw_error *error) {
  if (error != NULL) alive--;
  free(error);
}

/* The table of a later minor version is longer: the host must not mind. */
static const struct {
  cw_runner table;
  void (*later)(void);
} runner = {{SIZE, MAJOR, MINOR, describe, probe, load, io, set_input, RUN, output, release, extension, error_free}, NULL};

#ifdef NO_SYMBOL
const cw_runner *some_other_symbol(void) { return &runner.table; }
#else
const cw_runner *convwise_runner_v1(const cw_host *host) {
#ifdef REFUSE_HOST
  /* As a runner of a later major version would. */
  return host->major == 99 ? &runner.table : NULL;
#else
  if (host->major != CW_ABI_MAJOR) return NULL;
  host->log(host->ctx, CW_LOG_WARN, text("a word to the log"));
  return &runner.table;
#endif
}
#endif
