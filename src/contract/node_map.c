/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing over the addresses of a JSON tree's nodes. */
#include "internal.h"

#define FIRST_CAP 4096

struct row {
    const json_t *node;
    int number;
};

struct node_map {
    struct arena *arena;
    struct row *rows;
    size_t n, cap;
};

static struct row *row_of(const struct node_map *map, const json_t *node)
{
    size_t i = (size_t)(((uintptr_t)node >> 4) * 0x9e3779b97f4a7c15u >> 24) & (map->cap - 1);
    while (map->rows[i].node && map->rows[i].node != node)
        i = (i + 1) & (map->cap - 1);
    return &map->rows[i];
}

static void grow(struct node_map *map)
{
    struct node_map bigger = {map->arena, arena_zalloc_array(map->arena, map->cap * 2, sizeof *bigger.rows), map->n, map->cap * 2};
    for (size_t i = 0; i < map->cap; i++)
        if (map->rows[i].node)
            *row_of(&bigger, map->rows[i].node) = map->rows[i];
    *map = bigger;
}

struct node_map *node_map_new(struct arena *arena)
{
    struct node_map *map = arena_alloc(arena, sizeof *map);
    *map = (struct node_map){arena, arena_zalloc_array(arena, FIRST_CAP, sizeof *map->rows), 0, FIRST_CAP};
    return map;
}

void node_map_put(struct node_map *map, const json_t *node, int number)
{
    struct row *row;
    if (2 * map->n >= map->cap)
        grow(map);
    row = row_of(map, node);
    map->n += row->node == NULL;
    *row = (struct row){node, number};
}

int node_map_get(const struct node_map *map, const json_t *node, int otherwise)
{
    const struct row *row = row_of(map, node);
    return row->node ? row->number : otherwise;
}
