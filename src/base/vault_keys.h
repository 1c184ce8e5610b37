/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The keys as they are held in memory: made by vault_file.c, used by vault.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "asnd/vault.h"

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define KEYS_MAX  100

struct key {
    char number[VAULT_KEY_DIGITS + 1];
    uint8_t sealing[KEY_BYTES];
};

struct vault {
    struct vault *before;
    struct key keys[KEYS_MAX];
    size_t n;
    const struct key *newest;
    uint8_t searching[KEY_BYTES];
    bool can_search;
};
