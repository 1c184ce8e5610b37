/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reference lists: what the importer takes in. Everything else about them is reference.sql. */
#include "asnd/stream.h"

/* Rows of lists that there are (src/reference/import.c): the CSV form of GET /v1/references/{list} and back. */
extern const struct import_kind import_references;
