/*
 * A convwise runner in plain C: reads an ONNX file and runs it, one loop an operator.
 *
 * It is an example of the whole contract of runner.h, and slow. It knows the operators of the residual networks and of
 * MobileNetV3: Conv, MaxPool, GlobalAveragePool, Gemm, Flatten, Relu, HardSwish, HardSigmoid, Sigmoid, Add, Mul. An
 * operator it does not know is refused by name. Three parts follow one another:
 *
 *   reading    the few protobuf fields of an ONNX file that matter, each read within the bounds of the file
 *   running    tensors, and a function an operator
 *   the table  what runner.h asks for
 */
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ errors */

typedef struct failure {
  cw_error error;
  char words[256];
} failure;

/* An error whose message names something of the model; `name` may be empty. */
static cw_error *fail(uint32_t code, const char *words, cw_str name) {
  failure *f = calloc(1, sizeof *f);
  if (f == NULL) return NULL; /* nothing better can be done without memory; the host sees no outputs and says so */
  int length = name.len > 100 ? 100 : (int)name.len;
  snprintf(f->words, sizeof f->words, "%s%s%.*s%s", words, length ? " `" : "", length, length ? name.ptr : "",
           length ? "`" : "");
  f->error.code = code;
  f->error.message = (cw_str){f->words, strlen(f->words)};
  return &f->error;
}

static void error_free(cw_error *error) { free(error); }

static const cw_str NOTHING = {"", 0};

/* ------------------------------------------------------------------------------------------------ reading */

/* Bytes that are left to read. */
typedef struct bytes {
  const uint8_t *at, *end;
} bytes;

/* One field of a protobuf message: its number, and its value or its contents. */
typedef struct field {
  uint32_t number, wire;
  uint64_t value;
  bytes inner;
} field;

static int varint(bytes *b, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64 && b->at < b->end; shift += 7) {
    uint8_t byte = *b->at++;
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return 1;
  }
  return 0;
}

/* The next field of a message; 0 at its end or where it is damaged, which *sound tells apart. */
static int next(bytes *b, field *f, int *sound) {
  uint64_t tag;
  if (b->at == b->end) return 0;
  *sound = 0;
  if (!varint(b, &tag)) return 0;
  f->number = (uint32_t)(tag >> 3), f->wire = (uint32_t)(tag & 7), f->value = 0;
  f->inner = (bytes){b->at, b->at};
  size_t width = f->wire == 1 ? 8 : f->wire == 5 ? 4 : 0;
  if (f->wire == 0) {
    if (!varint(b, &f->value)) return 0;
  } else if (width) {
    if ((size_t)(b->end - b->at) < width) return 0;
    memcpy(&f->value, b->at, width);
    b->at += width;
  } else if (f->wire == 2) {
    uint64_t length;
    if (!varint(b, &length) || length > (uint64_t)(b->end - b->at)) return 0;
    f->inner = (bytes){b->at, b->at + length};
    b->at += length;
  } else {
    return 0;
  }
  *sound = 1;
  return 1;
}

static cw_str as_text(bytes b) { return (cw_str){(const char *)b.at, (size_t)(b.end - b.at)}; }

static int same(cw_str a, cw_str b) { return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0; }

static int is(cw_str a, const char *word) { return same(a, (cw_str){word, strlen(word)}); }

/* ------------------------------------------------------------------------------------------------ running */

enum { MAX_RANK = 8, MAX_INPUTS = 4, MAX_INTS = 8 };

typedef struct tensor {
  cw_str name;
  uint32_t rank;
  int64_t dims[MAX_RANK];
  size_t count;
  float *data;
} tensor;

typedef struct node node;
typedef cw_error *(*shape_rule)(node *n);
typedef void (*kernel)(const node *n);

/* An operator of the model: where its operands and its result are, and its settings. */
struct node {
  cw_str name, op;
  tensor *in[MAX_INPUTS];
  uint32_t ins;
  tensor *out;
  int64_t stride[2], pads[4], window[2], dilation[2], group, trans_b;
  float alpha, beta;
  kernel run;
};

struct cw_session {
  uint8_t *file;
  tensor *tensors;
  size_t tensor_count;
  node *nodes;
  size_t node_count;
  tensor *input, *output;
  int set, ran;
  char json[512];
};

static cw_error *shaped(node *n, uint32_t rank, const int64_t *dims) {
  tensor *t = n->out;
  t->rank = rank, t->count = 1;
  for (uint32_t i = 0; i < rank; i++) {
    if (dims[i] < 1 || t->count > ((size_t)1 << 30) / (size_t)dims[i])
      return fail(CW_ERR_MODEL, "a result of no or too many elements at", n->name);
    t->dims[i] = dims[i], t->count *= (size_t)dims[i];
  }
  t->data = malloc(t->count * sizeof *t->data);
  return t->data ? NULL : fail(CW_ERR_OUT_OF_MEMORY, "no memory for the result of", n->name);
}

static cw_error *misfit(node *n) { return fail(CW_ERR_MODEL, "the operands do not fit at", n->name); }

static cw_error *same_shape(node *n) { return shaped(n, n->in[0]->rank, n->in[0]->dims); }

static cw_error *windowed(node *n, int64_t channels) {
  const int64_t *d = n->in[0]->dims;
  int64_t dims[4] = {d[0], channels, 0, 0};
  for (int i = 0; i < 2; i++) {
    int64_t reach = n->dilation[i] * (n->window[i] - 1) + 1, slack = d[2 + i] + n->pads[i] + n->pads[2 + i] - reach;
    if (n->stride[i] < 1 || n->dilation[i] < 1 || n->window[i] < 1 || n->pads[i] < 0 || n->pads[2 + i] < 0 || slack < 0)
      return misfit(n);
    dims[2 + i] = slack / n->stride[i] + 1;
  }
  return shaped(n, 4, dims);
}

static cw_error *shape_conv(node *n) {
  const tensor *x = n->in[0], *w = n->in[1];
  if (n->ins < 2 || x->rank != 4 || w->rank != 4 || n->group < 1 || w->dims[0] % n->group ||
      x->dims[1] != w->dims[1] * n->group || (n->ins > 2 && n->in[2]->count != (size_t)w->dims[0]) || w->data == NULL)
    return misfit(n);
  n->window[0] = w->dims[2], n->window[1] = w->dims[3];
  return windowed(n, w->dims[0]);
}

static void run_conv(const node *n) {
  const tensor *x = n->in[0], *w = n->in[1], *y = n->out;
  const float *bias = n->ins > 2 ? n->in[2]->data : NULL;
  int64_t depth = w->dims[1], per_group = w->dims[0] / n->group, h = x->dims[2], width = x->dims[3];
  float *to = y->data;
  for (int64_t image = 0; image < y->dims[0]; image++)
    for (int64_t c = 0; c < y->dims[1]; c++) {
      const float *from = x->data + (image * x->dims[1] + c / per_group * depth) * h * width;
      const float *filter = w->data + c * depth * n->window[0] * n->window[1];
      for (int64_t row = 0; row < y->dims[2]; row++)
        for (int64_t column = 0; column < y->dims[3]; column++) {
          float sum = bias ? bias[c] : 0.0f;
          const float *f = filter;
          for (int64_t k = 0; k < depth; k++)
            for (int64_t i = 0; i < n->window[0]; i++) {
              int64_t r = row * n->stride[0] - n->pads[0] + i * n->dilation[0];
              for (int64_t j = 0; j < n->window[1]; j++, f++) {
                int64_t s = column * n->stride[1] - n->pads[1] + j * n->dilation[1];
                if (r >= 0 && r < h && s >= 0 && s < width) sum += *f * from[(k * h + r) * width + s];
              }
            }
          *to++ = sum;
        }
    }
}

static cw_error *shape_max_pool(node *n) {
  return n->in[0]->rank == 4 ? windowed(n, n->in[0]->dims[1]) : misfit(n);
}

static void run_max_pool(const node *n) {
  const tensor *x = n->in[0], *y = n->out;
  int64_t h = x->dims[2], width = x->dims[3];
  float *to = y->data;
  for (int64_t plane = 0; plane < y->dims[0] * y->dims[1]; plane++)
    for (int64_t row = 0; row < y->dims[2]; row++)
      for (int64_t column = 0; column < y->dims[3]; column++) {
        float most = -INFINITY;
        for (int64_t i = 0; i < n->window[0]; i++)
          for (int64_t j = 0; j < n->window[1]; j++) {
            int64_t r = row * n->stride[0] - n->pads[0] + i * n->dilation[0];
            int64_t s = column * n->stride[1] - n->pads[1] + j * n->dilation[1];
            if (r >= 0 && r < h && s >= 0 && s < width) most = fmaxf(most, x->data[(plane * h + r) * width + s]);
          }
        *to++ = most;
      }
}

static cw_error *shape_global_pool(node *n) {
  const tensor *x = n->in[0];
  int64_t dims[4] = {x->dims[0], x->dims[1], 1, 1};
  return x->rank == 4 ? shaped(n, 4, dims) : misfit(n);
}

static void run_global_pool(const node *n) {
  size_t plane = (size_t)(n->in[0]->dims[2] * n->in[0]->dims[3]);
  for (size_t c = 0; c < n->out->count; c++) {
    double sum = 0;
    for (size_t i = 0; i < plane; i++) sum += n->in[0]->data[c * plane + i];
    n->out->data[c] = (float)(sum / (double)plane);
  }
}

static cw_error *shape_flatten(node *n) {
  const tensor *x = n->in[0];
  if (x->rank < 1) return misfit(n);
  int64_t dims[2] = {x->dims[0], (int64_t)(x->count / (size_t)x->dims[0])};
  return shaped(n, 2, dims);
}

static void run_copy(const node *n) { memcpy(n->out->data, n->in[0]->data, n->out->count * sizeof(float)); }

static cw_error *shape_gemm(node *n) {
  const tensor *x = n->in[0], *w = n->in[1];
  if (n->ins < 2 || x->rank != 2 || w->rank != 2 || !n->trans_b || x->dims[1] != w->dims[1] || w->data == NULL ||
      (n->ins > 2 && n->in[2]->count != (size_t)w->dims[0]))
    return misfit(n);
  int64_t dims[2] = {x->dims[0], w->dims[0]};
  return shaped(n, 2, dims);
}

static void run_gemm(const node *n) {
  const tensor *x = n->in[0], *w = n->in[1], *y = n->out;
  for (int64_t row = 0; row < y->dims[0]; row++)
    for (int64_t c = 0; c < y->dims[1]; c++) {
      float sum = n->ins > 2 ? n->in[2]->data[c] : 0.0f;
      for (int64_t k = 0; k < x->dims[1]; k++) sum += x->data[row * x->dims[1] + k] * w->data[c * w->dims[1] + k];
      y->data[row * y->dims[1] + c] = sum;
    }
}

/* Whether b is one value a channel of the image a: [N,C,1,1], [1,C,1,1] or [C,1,1]. */
static int is_gate(const tensor *a, const tensor *b) {
  if (a->rank != 4 || b->rank < 3 || b->rank > 4) return 0;
  const int64_t *last = b->dims + b->rank - 3;
  int images = b->rank == 3 || b->dims[0] == 1 || b->dims[0] == a->dims[0];
  return images && last[0] == a->dims[1] && last[1] == 1 && last[2] == 1;
}

/* Sums and products of equal extents, or of an image and one value a channel, in either order. */
static cw_error *shape_binary(node *n) {
  if (n->ins != 2) return misfit(n);
  if (n->in[0]->count < n->in[1]->count) {
    tensor *larger = n->in[1];
    n->in[1] = n->in[0], n->in[0] = larger;
  }
  const tensor *a = n->in[0], *b = n->in[1];
  int equal = a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof a->dims[0]) == 0;
  return equal || is_gate(a, b) ? same_shape(n) : fail(CW_ERR_UNSUPPORTED, "the operands are neither of one shape nor a gate at", n->name);
}

/* Elements of the result for each of the second operand. */
static size_t share_of(const node *n) {
  const tensor *y = n->out;
  return n->in[1]->count == y->count ? 1 : (size_t)(y->dims[2] * y->dims[3]);
}

static void run_add(const node *n) {
  size_t share = share_of(n), count = n->in[1]->count;
  for (size_t i = 0; i < n->out->count; i++) n->out->data[i] = n->in[0]->data[i] + n->in[1]->data[i / share % count];
}

static void run_mul(const node *n) {
  size_t share = share_of(n), count = n->in[1]->count;
  for (size_t i = 0; i < n->out->count; i++) n->out->data[i] = n->in[0]->data[i] * n->in[1]->data[i / share % count];
}

static float hard_sigmoid(float x, float alpha, float beta) { return fminf(fmaxf(alpha * x + beta, 0.0f), 1.0f); }

#define ELEMENTWISE(function, expression)                \
  static void function(const node *n) {                  \
    for (size_t i = 0; i < n->out->count; i++) {         \
      float x = n->in[0]->data[i];                       \
      n->out->data[i] = (expression);                    \
    }                                                    \
  }
ELEMENTWISE(run_relu, fmaxf(x, 0.0f))
ELEMENTWISE(run_sigmoid, 1.0f / (1.0f + expf(-x)))
ELEMENTWISE(run_hard_sigmoid, hard_sigmoid(x, n->alpha, n->beta))
ELEMENTWISE(run_hard_swish, x *hard_sigmoid(x, 1.0f / 6.0f, 0.5f))

static const struct {
  const char *op;
  shape_rule shape;
  kernel run;
} OPERATORS[] = {
    {"Conv", shape_conv, run_conv},
    {"MaxPool", shape_max_pool, run_max_pool},
    {"GlobalAveragePool", shape_global_pool, run_global_pool},
    {"Flatten", shape_flatten, run_copy},
    {"Gemm", shape_gemm, run_gemm},
    {"Add", shape_binary, run_add},
    {"Mul", shape_binary, run_mul},
    {"Relu", same_shape, run_relu},
    {"Sigmoid", same_shape, run_sigmoid},
    {"HardSigmoid", same_shape, run_hard_sigmoid},
    {"HardSwish", same_shape, run_hard_swish},
};

/* ------------------------------------------------------------------------------------------------ a model */

static cw_error *damaged(void) { return fail(CW_ERR_MODEL, "the file is no ONNX model, or it is damaged", NOTHING); }

static tensor *find(cw_session *s, cw_str name) {
  for (size_t i = 0; i < s->tensor_count; i++)
    if (same(s->tensors[i].name, name)) return &s->tensors[i];
  return NULL;
}

/* Extents as one packed field or as several. */
static int extents(field f, int64_t *to, uint32_t *count, uint32_t most) {
  if (f.wire == 0) f.inner = (bytes){NULL, NULL};
  do {
    uint64_t value = f.value;
    if (f.wire == 2 && !varint(&f.inner, &value)) return f.inner.at == f.inner.end;
    if (*count >= most) return 0;
    to[(*count)++] = (int64_t)value;
  } while (f.wire == 2 && f.inner.at < f.inner.end);
  return 1;
}

/* A trained tensor. */
static cw_error *read_weights(cw_session *s, bytes b) {
  tensor *t = &s->tensors[s->tensor_count];
  *t = (tensor){.name = NOTHING};
  bytes raw = {NULL, NULL};
  uint64_t kind = 0;
  field f;
  int sound = 1;
  while (next(&b, &f, &sound)) {
    if (f.number == 1 && !extents(f, t->dims, &t->rank, MAX_RANK)) return damaged();
    if (f.number == 2) kind = f.value;
    if (f.number == 8) t->name = as_text(f.inner);
    if (f.number == 9) raw = f.inner;
  }
  if (!sound) return damaged();
  if (kind != CW_F32) return NULL; /* extents of a reshape, say: no operator here takes them */
  t->count = 1;
  for (uint32_t i = 0; i < t->rank; i++) {
    if (t->dims[i] < 1 || t->count > ((size_t)1 << 30) / (size_t)t->dims[i]) return damaged();
    t->count *= (size_t)t->dims[i];
  }
  if ((size_t)(raw.end - raw.at) != t->count * sizeof(float))
    return fail(CW_ERR_UNSUPPORTED, "the weights do not stand in the file as raw data:", t->name);
  t->data = malloc(t->count * sizeof(float));
  if (t->data == NULL) return fail(CW_ERR_OUT_OF_MEMORY, "no memory for", t->name);
  memcpy(t->data, raw.at, t->count * sizeof(float));
  s->tensor_count++;
  return NULL;
}

/* The model's input: ValueInfo.type.tensor_type.shape.dim.dim_value. */
static cw_error *read_input(cw_session *s, bytes b) {
  tensor *t = &s->tensors[s->tensor_count];
  *t = (tensor){.name = NOTHING};
  field f, type, kind, shape, dim;
  int sound = 1;
  while (next(&b, &f, &sound)) {
    if (f.number == 1) t->name = as_text(f.inner);
    if (f.number != 2) continue;
    while (next(&f.inner, &type, &sound))
      while (type.number == 1 && next(&type.inner, &kind, &sound))
        while (kind.number == 2 && next(&kind.inner, &shape, &sound))
          while (shape.number == 1 && next(&shape.inner, &dim, &sound)) {
            if (dim.number != 1)
              return fail(CW_ERR_UNSUPPORTED, "the batch is not fixed; export with --batch 1:", t->name);
            if (!extents(dim, t->dims, &t->rank, MAX_RANK)) return damaged();
          }
  }
  if (!sound || find(s, t->name) != NULL) return sound ? NULL : damaged(); /* weights may be listed as inputs */
  if (s->input != NULL) return fail(CW_ERR_UNSUPPORTED, "this runner takes models of one input; there is also", t->name);
  node as_result = {.name = t->name, .out = t};
  cw_error *error = shaped(&as_result, t->rank, t->dims);
  if (error != NULL) return error;
  s->input = t;
  s->tensor_count++;
  return NULL;
}

static void read_setting(node *n, bytes b) {
  cw_str name = NOTHING;
  int64_t ints[MAX_INTS] = {0}, i = 0;
  uint32_t count = 0, bits = 0;
  float number;
  field f;
  int sound = 1;
  while (next(&b, &f, &sound)) {
    if (f.number == 1) name = as_text(f.inner);
    if (f.number == 2) bits = (uint32_t)f.value;
    if (f.number == 3) i = (int64_t)f.value;
    if (f.number == 8) extents(f, ints, &count, MAX_INTS);
  }
  memcpy(&number, &bits, sizeof number);
  if (is(name, "strides")) memcpy(n->stride, ints, sizeof n->stride);
  if (is(name, "pads")) memcpy(n->pads, ints, sizeof n->pads);
  if (is(name, "kernel_shape")) memcpy(n->window, ints, sizeof n->window);
  if (is(name, "dilations")) memcpy(n->dilation, ints, sizeof n->dilation);
  if (is(name, "group")) n->group = i;
  if (is(name, "transB")) n->trans_b = i;
  if (is(name, "alpha")) n->alpha = number;
  if (is(name, "beta")) n->beta = number;
}

static cw_error *read_node(cw_session *s, bytes b) {
  node *n = &s->nodes[s->node_count];
  *n = (node){.stride = {1, 1}, .dilation = {1, 1}, .group = 1, .alpha = 0.2f, .beta = 0.5f};
  cw_str result = NOTHING, operands[MAX_INPUTS];
  field f;
  int sound = 1;
  while (next(&b, &f, &sound)) {
    if (f.number == 1 && n->ins++ < MAX_INPUTS) operands[n->ins - 1] = as_text(f.inner);
    if (f.number == 2) result = as_text(f.inner);
    if (f.number == 3) n->name = as_text(f.inner);
    if (f.number == 4) n->op = as_text(f.inner);
    if (f.number == 5) read_setting(n, f.inner);
  }
  if (!sound || n->ins == 0 || find(s, result) != NULL) return damaged();
  size_t known = 0, all = sizeof OPERATORS / sizeof OPERATORS[0];
  while (known < all && !is(n->op, OPERATORS[known].op)) known++;
  if (known == all) {
    char words[128];
    snprintf(words, sizeof words, "this runner has no operator %.*s, as at", n->op.len > 40 ? 40 : (int)n->op.len, n->op.ptr);
    return fail(CW_ERR_UNSUPPORTED, words, n->name);
  }
  if (n->ins > MAX_INPUTS) return fail(CW_ERR_UNSUPPORTED, "too many operands at", n->name);
  for (uint32_t i = 0; i < n->ins; i++) {
    n->in[i] = find(s, operands[i]);
    if (n->in[i] == NULL) return fail(CW_ERR_MODEL, "nothing gives the operand", operands[i]);
  }
  n->out = &s->tensors[s->tensor_count++];
  n->out->name = result;
  n->run = OPERATORS[known].run;
  s->node_count++;
  return OPERATORS[known].shape(n);
}

/* Reads every field of one number. */
static cw_error *each(cw_session *s, bytes graph, uint32_t number, cw_error *(*read)(cw_session *, bytes)) {
  field f;
  int sound = 1;
  while (next(&graph, &f, &sound))
    if (f.number == number && f.wire == 2) {
      cw_error *error = read(s, f.inner);
      if (error != NULL) return error;
    }
  return sound ? NULL : damaged();
}

static cw_error *read_output(cw_session *s, bytes b) {
  field f;
  int sound = 1;
  while (next(&b, &f, &sound))
    if (f.number == 1) {
      if (s->output != NULL)
        return fail(CW_ERR_UNSUPPORTED, "this runner takes models of one output; there is also", as_text(f.inner));
      s->output = find(s, as_text(f.inner));
    }
  return s->output != NULL && s->output != s->input ? NULL : damaged();
}

static cw_error *read_graph(cw_session *s, bytes graph) {
  /* No message has more fields than bytes; what a field needs is far less than it takes in the file. */
  size_t fields = 1;
  bytes again = graph;
  field f;
  int sound = 1;
  while (next(&again, &f, &sound)) fields++;
  s->tensors = calloc(fields, sizeof *s->tensors);
  s->nodes = calloc(fields, sizeof *s->nodes);
  if (s->tensors == NULL || s->nodes == NULL) return fail(CW_ERR_OUT_OF_MEMORY, "no memory for the model", NOTHING);
  cw_error *error = each(s, graph, 5, read_weights);
  if (error == NULL) error = each(s, graph, 11, read_input);
  if (error == NULL) error = each(s, graph, 1, read_node);
  if (error == NULL) error = each(s, graph, 12, read_output);
  return error;
}

static cw_error *read_file(cw_session *s, cw_str path, bytes *model) {
  char name[4096];
  if (path.len >= sizeof name) return fail(CW_ERR_INVALID, "the path is too long", NOTHING);
  memcpy(name, path.ptr, path.len);
  name[path.len] = 0;
  FILE *file = fopen(name, "rb");
  if (file == NULL) return fail(CW_ERR_MODEL, "the file cannot be opened:", path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  if (size > 0) s->file = malloc((size_t)size);
  int whole = s->file != NULL && fread(s->file, 1, (size_t)size, file) == (size_t)size;
  fclose(file);
  if (!whole) return fail(CW_ERR_MODEL, "the file cannot be read, or it is empty:", path);
  *model = (bytes){s->file, s->file + size};
  return NULL;
}

/* ------------------------------------------------------------------------------------------------ the table */

static cw_error *describe(cw_str *json) {
  static const char text[] =
      "{\"schema\":1,\"name\":\"plain-c\",\"version\":\"0.1.0\",\"formats\":[\"onnx\"],\"precisions\":[\"fp32\"],"
      "\"options\":[{\"name\":\"threads\",\"default\":\"1\",\"doc\":\"threads of compute; this runner has one\"}],"
      "\"concurrent\":true,\"deterministic\":true,\"simulated\":false,\"extensions\":[]}";
  *json = (cw_str){text, sizeof text - 1};
  return NULL;
}

static cw_error *check_options(const cw_option *options, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!is(options[i].key, "threads")) return fail(CW_ERR_INVALID, "there is no option", options[i].key);
    if (!is(options[i].value, "1")) return fail(CW_ERR_INVALID, "this runner has one thread; threads cannot be", options[i].value);
  }
  return NULL;
}

static cw_error *probe(const cw_option *options, size_t option_count, cw_str *json) {
  static const char text[] =
      "{\"schema\":1,\"usable\":true,\"devices\":[{\"id\":\"cpu\",\"kind\":\"cpu\",\"name\":\"one core\"}],\"missing\":[]}";
  *json = (cw_str){text, sizeof text - 1};
  return check_options(options, option_count);
}

static void release(cw_session *session) {
  if (session == NULL) return;
  for (size_t i = 0; session->tensors != NULL && i < session->tensor_count; i++) free(session->tensors[i].data);
  free(session->tensors);
  free(session->nodes);
  free(session->file);
  free(session);
}

static cw_error *load(cw_str path, const cw_option *options, size_t option_count, cw_session **session) {
  cw_error *error = check_options(options, option_count);
  if (error != NULL) return error;
  cw_session *s = calloc(1, sizeof *s);
  if (s == NULL) return fail(CW_ERR_OUT_OF_MEMORY, "no memory for a session", NOTHING);
  bytes model = {NULL, NULL}, graph = {NULL, NULL};
  error = read_file(s, path, &model);
  field f;
  int sound = 1;
  while (error == NULL && next(&model, &f, &sound))
    if (f.number == 7 && f.wire == 2) graph = f.inner;
  if (error == NULL) error = sound && graph.at != NULL ? read_graph(s, graph) : damaged();
  if (error == NULL && s->input == NULL) error = damaged();
  if (error != NULL) {
    release(s);
    return error;
  }
  *session = s;
  return NULL;
}

static size_t describe_tensor(char *to, size_t room, const tensor *t) {
  size_t used = (size_t)snprintf(to, room, "{\"name\":\"%.*s\",\"dtype\":\"f32\",\"shape\":[", (int)t->name.len, t->name.ptr);
  for (uint32_t i = 0; i < t->rank && used < room; i++)
    used += (size_t)snprintf(to + used, room - used, "%s%lld", i ? "," : "", (long long)t->dims[i]);
  return used < room ? used + (size_t)snprintf(to + used, room - used, "]}") : used;
}

static int plain(cw_str name) {
  for (size_t i = 0; i < name.len; i++)
    if (name.ptr[i] < ' ' || name.ptr[i] == '"' || name.ptr[i] == '\\' || name.ptr[i] == 127) return 0;
  return name.len < 100;
}

static cw_error *io(cw_session *session, cw_str *json) {
  char *to = session->json;
  size_t room = sizeof session->json, used;
  if (!plain(session->input->name) || !plain(session->output->name))
    return fail(CW_ERR_UNSUPPORTED, "a name of an input or an output has characters that this runner cannot write", NOTHING);
  used = (size_t)snprintf(to, room, "{\"schema\":1,\"inputs\":[");
  used += describe_tensor(to + used, room - used, session->input);
  used += (size_t)snprintf(to + used, room - used, "],\"outputs\":[");
  used += describe_tensor(to + used, room - used, session->output);
  used += (size_t)snprintf(to + used, room - used, "]}");
  *json = (cw_str){to, used};
  return NULL;
}

static cw_error *set_input(cw_session *session, uint32_t index, const cw_tensor *given) {
  const tensor *t = session->input;
  if (index != 0) return fail(CW_ERR_INVALID, "this model has one input, of index 0", NOTHING);
  if (given->dtype != CW_F32 || given->rank != t->rank || given->bytes != t->count * sizeof(float) ||
      memcmp(given->shape, t->dims, t->rank * sizeof t->dims[0]) != 0)
    return fail(CW_ERR_INVALID, "the tensor has not the type or the extents of the input", t->name);
  memcpy(t->data, given->data, given->bytes);
  session->set = 1, session->ran = 0;
  return NULL;
}

static cw_error *run(cw_session *session) {
  if (!session->set) return fail(CW_ERR_STATE, "the input is not set", NOTHING);
  for (size_t i = 0; i < session->node_count; i++) session->nodes[i].run(&session->nodes[i]);
  session->ran = 1;
  return NULL;
}

static cw_error *output(cw_session *session, uint32_t index, cw_tensor *to) {
  const tensor *t = session->output;
  if (index != 0) return fail(CW_ERR_INVALID, "this model has one output, of index 0", NOTHING);
  if (!session->ran) return fail(CW_ERR_STATE, "there was no run since the input was set", NOTHING);
  *to = (cw_tensor){CW_F32, t->rank, t->dims, t->data, t->count * sizeof(float)};
  return NULL;
}

static const void *extension(cw_str id) {
  (void)id;
  return NULL;
}

static const cw_runner RUNNER = {
    sizeof(cw_runner), CW_ABI_MAJOR, CW_ABI_MINOR, describe, probe, load,      io,
    set_input,         run,          output,       release,  extension, error_free,
};

CW_EXPORT const cw_runner *convwise_runner_v1(const cw_host *host) {
  return host->major == CW_ABI_MAJOR ? &RUNNER : NULL;
}
