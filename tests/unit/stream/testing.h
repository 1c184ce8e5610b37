/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of this room share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* cmocka's macro of this name would hide the program's own fail(). */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error("ERROR: " __VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/macros.h"
#include "asnd/stream.h"
