/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Public keys and the signatures that they verify, by GnuTLS. Apart from the rest, since its header and our contract's both name something `params`. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum algorithm { ALG_RS256, ALG_PS256, ALG_ES256, ALG_EDDSA, ALG_KINDS };
/* ALG_KINDS for everything else, `none` and the HMACs among it. */
enum algorithm algorithm_find(const char *name, size_t len);

struct public_key;
struct bytes {
    const uint8_t *data;
    size_t len;
};
/* Keys of RFC 7518 and 8037 from their numbers; NULL when they are too short, too long, or none. */
struct public_key *public_key_rsa(struct bytes n, struct bytes e);
struct public_key *public_key_p256(struct bytes x, struct bytes y);
struct public_key *public_key_ed25519(struct bytes x);
void public_key_free(struct public_key *key);
/* The algorithms that a key of this kind verifies, a bit each. */
unsigned public_key_algorithms(const struct public_key *key);
/* False too when the algorithm is not one of the key's. Thread-safe. */
bool signature_is_good(const struct public_key *key, enum algorithm algorithm, struct bytes text, struct bytes signature);
