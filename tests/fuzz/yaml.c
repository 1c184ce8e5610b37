/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as the contract is written in it: what is read becomes JSON that can be written and read again, and every node knows its line. */
#include "../../src/contract/internal.h"

#include "json.h"

static void require_lines(const struct node_map *places, const json_t *node)
{
    const char *name;
    const json_t *member;
    size_t i;
    if (json_is_object(node) || json_is_array(node))
        REQUIRE(places_line(places, node) > 0);
    json_object_foreach((json_t *)(uintptr_t)node, name, member)
    {
        require_lines(places, member);
    }
    json_array_foreach(node, i, member)
    {
        require_lines(places, member);
    }
}

static void require_round_trip(const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *again;
    REQUIRE(text);
    again = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    REQUIRE(json_equal(again, root));
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct node_map *places = NULL;
    json_t *root = yaml_parse((const char *)data, size, "fuzz.yaml", nowhere(), arena, &places);
    if (root) {
        require_lines(places, root);
        require_round_trip(root);
        json_decref(root);
    }
    arena_free(arena);
    return 0;
}
