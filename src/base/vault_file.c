/* SPDX-License-Identifier: Apache-2.0 */
/* The file of column keys: read, and added to. What stands in it is no key itself: each use has one that is derived from it. */
#include "vault_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asnd/log.h"

static void derive(uint8_t ret[KEY_BYTES], const uint8_t main_key[KEY_BYTES], const char *use)
{
    crypto_generichash(ret, KEY_BYTES, (const uint8_t *)use, strlen(use), main_key, KEY_BYTES);
}

static bool complain(FILE *err, const char *path, const char *what)
{
    fprintf(err, "asnd: the file of column keys %s %s.\n", path, what);
    return false;
}

static bool is_number(const char *word)
{
    return strlen(word) == VAULT_KEY_DIGITS && strspn(word, "0123456789") == VAULT_KEY_DIGITS;
}

/* `0001 64 hex digits`, or `search 64 hex digits`. */
static const char *take_line(struct vault *vault, char *line)
{
    char *save, *name = strtok_r(line, " \t\r\n", &save), *hex = name ? strtok_r(NULL, " \t\r\n", &save) : NULL;
    uint8_t main_key[KEY_BYTES];
    size_t len = 0;
    const char *fault = NULL;
    if (!name || *name == '#')
        return NULL;
    if (!hex || strtok_r(NULL, " \t\r\n", &save) || sodium_hex2bin(main_key, sizeof main_key, hex, strlen(hex), NULL, &len, NULL) != 0 ||
        len != sizeof main_key) {
        fault = "has a line that is no number and 64 hex digits";
    } else if (strcmp(name, "search") == 0) {
        fault = vault->can_search ? "has two lines search" : NULL;
        derive(vault->searching, main_key, "asnd column search 1");
        vault->can_search = true;
    } else if (!is_number(name) || vault->n == KEYS_MAX) {
        fault = "has a key whose number is not four digits, or too many keys";
    } else {
        struct key *key = &vault->keys[vault->n];
        for (size_t i = 0; i < vault->n; i++)
            if (strcmp(vault->keys[i].number, name) == 0)
                fault = "has two keys of one number";
        memcpy(key->number, name, VAULT_KEY_DIGITS + 1);
        derive(key->sealing, main_key, "asnd column seal 1");
        vault->n++;
        if (!vault->newest || strcmp(key->number, vault->newest->number) > 0)
            vault->newest = key;
    }
    sodium_memzero(main_key, sizeof main_key);
    return fault;
}

static bool open_file(const char *path, FILE *err, FILE **ret)
{
    struct stat info;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        if (file)
            fclose(file);
        return complain(err, path, "cannot be read");
    }
    if (info.st_mode & (S_IWGRP | S_IRWXO)) {
        fclose(file);
        return complain(err, path, "is open to others than its owner and group: chmod 640");
    }
    *ret = file;
    return true;
}

void vault_drop(struct vault *vault)
{
    if (!vault)
        return;
    sodium_memzero(vault, sizeof *vault);
    free(vault);
}

bool vault_read(const char *path, FILE *err, struct vault **ret)
{
    FILE *file;
    char line[256];
    const char *fault = NULL;
    struct vault *vault;
    *ret = NULL;
    if (!*path)
        return true;
    if (!open_file(path, err, &file))
        return false;
    vault = calloc(1, sizeof *vault);
    if (!vault)
        die_no_memory();
    while (!fault && fgets(line, sizeof line, file))
        fault = strlen(line) + 1 == sizeof line ? "has a line that is too long" : take_line(vault, line);
    sodium_memzero(line, sizeof line);
    fclose(file);
    if (!fault && (vault->n == 0 || !vault->can_search))
        fault = "needs a numbered key and a line search: `asnd column-keys new FILE` makes them";
    if (fault) {
        vault_drop(vault);
        return complain(err, path, fault);
    }
    *ret = vault;
    return true;
}

static void put_key(FILE *file, const char *name)
{
    uint8_t bytes[KEY_BYTES];
    char hex[2 * KEY_BYTES + 1];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(hex, sizeof hex, bytes, sizeof bytes);
    fprintf(file, "%s %s\n", name, hex);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(hex, sizeof hex);
}

bool vault_add_key(const char *path, FILE *err)
{
    struct vault *there = NULL;
    char number[12] = "0001";
    int fd;
    FILE *file;
    bool is_new = access(path, F_OK) != 0;
    if (!is_new && !vault_read(path, err, &there))
        return false;
    if (there)
        snprintf(number, sizeof number, "%04d", atoi(there->newest->number) + 1);
    vault_drop(there);
    if (strlen(number) > VAULT_KEY_DIGITS)
        return complain(err, path, "has no number left");
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (is_new ? O_CREAT | O_EXCL : 0), S_IRUSR | S_IWUSR);
    file = fd < 0 ? NULL : fdopen(fd, "a");
    if (!file) {
        fprintf(err, "asnd: cannot write %s: %s.\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (is_new) {
        fputs("# Keys of columns (asnd column-keys). Without this file no NIK can be read again: keep a copy apart from the backups.\n",
              file);
        put_key(file, "search");
    }
    put_key(file, number);
    if (fflush(file) != 0 || fsync(fd) != 0 || ferror(file)) {
        fclose(file);
        return complain(err, path, "could not be written whole");
    }
    return fclose(file) == 0;
}
