#include "core/codec/digest.h"

#include <stdint.h>

#include <nettle/sha2.h>

static void finish(struct sha256_ctx *context, char ret[static WM_DIGEST_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  uint8_t digest[SHA256_DIGEST_SIZE];
  sha256_digest(context, sizeof digest, digest);
  for (size_t i = 0; i < sizeof digest; i++) {
    ret[2 * i] = digits[digest[i] >> 4];
    ret[2 * i + 1] = digits[digest[i] & 15];
  }
  ret[2 * sizeof digest] = '\0';
}

static void update(struct sha256_ctx *context, struct wm_text text) {
  if (text.size > 0)
    sha256_update(context, text.size, (const uint8_t *)text.bytes);
}

void wm_digest(struct wm_text text, char ret[static WM_DIGEST_SIZE]) {
  struct sha256_ctx context;
  sha256_init(&context);
  update(&context, text);
  finish(&context, ret);
}

void wm_digest_all(const struct wm_text *texts, size_t count, char ret[static WM_DIGEST_SIZE]) {
  struct sha256_ctx context;
  sha256_init(&context);
  for (size_t i = 0; i < count; i++) {
    uint8_t size[8];
    for (unsigned byte = 0; byte < sizeof size; byte++)
      size[byte] = (uint8_t)((uint64_t)texts[i].size >> (8 * byte));
    sha256_update(&context, sizeof size, size);
    update(&context, texts[i]);
  }
  finish(&context, ret);
}
