/* The example runner with one defect, chosen at compile time: DEFECT is the number of the requirement that it breaks. */
#define _GNU_SOURCE
#define convwise_runner_v1 whole_runner
#include "plain.c"
#undef convwise_runner_v1

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static cw_runner table;

static const char DESCRIPTION[] =
    "{\"schema\":1,\"name\":\"plain-c\",\"version\":\"0.1.0\",\"formats\":[\"onnx\"],"
    "\"options\":[{\"name\":\"threads\"}],\"concurrent\":true,\"deterministic\":true,\"extensions\":["
    "\"convwise.clock/1\"]}";

static cw_error *describe_otherwise(cw_str *json) {
  static int calls;
  static char text[200];
  int length = snprintf(text, sizeof text, "{\"schema\":1,\"name\":\"plain-c\",\"version\":\"0.1.%d\","
                        "\"formats\":[\"onnx\"],\"options\":[{\"name\":\"threads\"}]}", calls++);
  *json = (cw_str){text, (size_t)length};
  return NULL;
}

static cw_error *describe_with_a_file(cw_str *json) {
  (void)!open("/dev/null", O_RDONLY);
  return describe(json);
}

static cw_error *describe_with_a_clock(cw_str *json) {
  *json = (cw_str){DESCRIPTION, sizeof DESCRIPTION - 1};
  return NULL;
}

static const void *extension_of_any_name(cw_str id) {
  static const size_t size[8] = {sizeof size};
  (void)id;
  return size;
}

static cw_error *probe_without_an_answer(const cw_option *options, size_t count, cw_str *json) {
  static const char text[] = "{\"schema\":1,\"usable\":false,\"missing\":[{\"what\":\"libfast\",\"how\":\"get it\"}]}";
  (void)options, (void)count;
  *json = (cw_str){text, sizeof text - 1};
  return NULL;
}

static cw_error *load_with_any_option(cw_str path, const cw_option *options, size_t count, cw_session **session) {
  (void)options, (void)count;
  return load(path, NULL, 0, session);
}

static cw_error *load_with_other_words(cw_str path, const cw_option *options, size_t count, cw_session **session) {
  cw_error *error = load(path, options, count, session);
  if (error == NULL) return NULL;
  error_free(error);
  return fail(CW_ERR_INTERNAL, "it did not work", NOTHING);
}

static cw_error *load_or_abort(cw_str path, const cw_option *options, size_t count, cw_session **session) {
  cw_error *error = load(path, options, count, session);
  if (error != NULL && error->code == CW_ERR_MODEL) abort();
  return error;
}

static cw_error *load_only_at_opset_22(cw_str path, const cw_option *options, size_t count, cw_session **session) {
  static int loads;
  if (++loads == 1) return fail(CW_ERR_MODEL, "this operator set is too old", NOTHING);
  return load(path, options, count, session);
}

static void free_nothing(cw_error *error) { (void)error; }

static cw_error *io_of_another_model(cw_session *session, cw_str *json) {
  static const char text[] = "{\"schema\":1,\"inputs\":[{\"name\":\"input\",\"dtype\":\"f32\",\"shape\":[1,4,9,7]}],"
                             "\"outputs\":[{\"name\":\"other\",\"dtype\":\"f32\",\"shape\":[1,5]}]}";
  (void)session;
  *json = (cw_str){text, sizeof text - 1};
  return NULL;
}

static cw_error *output_at_any_time(cw_session *session, uint32_t index, cw_tensor *to) {
  session->ran = 1;
  return output(session, index, to);
}

static cw_error *set_input_of_any_kind(cw_session *session, uint32_t index, const cw_tensor *given) {
  (void)index;
  size_t bytes = session->input->count * sizeof(float);
  memcpy(session->input->data, given->data, given->bytes < bytes ? given->bytes : bytes);
  session->set = 1, session->ran = 0;
  return NULL;
}

static cw_error *run_and_spoil(cw_session *session) {
  cw_error *error = run(session);
  if (error == NULL) session->output->data[0] += 0.1f;
  return error;
}

static cw_error *run_and_count(cw_session *session) {
  static float runs;
  cw_error *error = run(session);
  if (error == NULL) session->output->data[0] += ++runs;
  return error;
}

/* Remembers one input for all sessions: alone, each has its own at hand. */
static const float *last_input;

static cw_error *set_the_one_input(cw_session *session, uint32_t index, const cw_tensor *given) {
  cw_error *error = set_input(session, index, given);
  if (error == NULL) last_input = session->input->data;
  return error;
}

static cw_error *run_on_the_one_input(cw_session *session) {
  memmove(session->input->data, last_input, session->input->count * sizeof(float));
  return run(session);
}

static cw_error *run_later(cw_session *session) {
  if (!session->set) return run(session);
  session->ran = 1;
  return NULL;
}

static cw_error *output_after_all(cw_session *session, uint32_t index, cw_tensor *to) {
  if (session->ran) run(session);
  return output(session, index, to);
}

static cw_error *an_hour(cw_session *session, uint64_t *ns) {
  (void)session;
  *ns = 3600000000000u;
  return NULL;
}

static const void *extension_with_a_slow_clock(cw_str id) {
  static const cw_clock clock = {sizeof clock, an_hour, an_hour};
  return is(id, CW_EXT_CLOCK) ? &clock : NULL;
}

char *volatile kept_by_release;

static void release_and_keep(cw_session *session) {
  char *more = malloc(1 << 20);
  if (more != NULL) memset(more, 1, 1 << 20);
  kept_by_release = more;
  release(session);
}

static cw_error *run_without_standard_input(cw_session *session) {
  close(0);
  return run(session);
}

static void release_and_crash(cw_session *session) {
  if (session != NULL) abort();
}

CW_EXPORT const cw_runner *convwise_runner_v1(const cw_host *host) {
  table = RUNNER;
  switch (DEFECT) {
    case 1: return NULL;
    case 2: return &table;
    case 3: return host->major == CW_ABI_MAJOR && host->minor == CW_ABI_MINOR ? &table : NULL;
    case 4: host->log(host->ctx, CW_LOG_INFO, (cw_str){"here", 4}); break;
    case 5: table.describe = describe_otherwise; break;
    case 6: table.describe = describe_with_a_file; break;
    case 7: table.extension = extension_of_any_name; break;
    case 8: table.probe = probe_without_an_answer; break;
    case 9: case 10: table.load = load_with_any_option; break;
    case 11: case 15: table.load = load_with_other_words; break;
    case 12: table.error_free = free_nothing; break;
    case 13: case 14: table.load = load_or_abort; break;
    case 16: table.io = io_of_another_model; break;
    case 17: table.output = output_at_any_time; break;
    case 18: table.set_input = set_input_of_any_kind; break;
    case 19: table.run = run_and_spoil; break;
    case 20: table.load = load_only_at_opset_22; break;
    case 21: table.run = run_and_count; break;
    case 22: table.set_input = set_the_one_input, table.run = run_on_the_one_input; break;
    case 23: table.run = run_later, table.output = output_after_all; break;
    case 24: table.describe = describe_with_a_clock, table.extension = extension_with_a_slow_clock; break;
    case 25: table.release = release_and_keep; break;
    case 26: table.run = run_without_standard_input; break;
    case 27: table.release = release_and_crash; break;
    default: break;
  }
  return whole_runner(host) ? &table : NULL;
}
