/* SPDX-License-Identifier: Apache-2.0 */
/* The reading page at /docs: one plain HTML page made from the contract at start, so that it never disagrees with it. No scripts, nothing
 * from elsewhere: it works in an office without internet. */
#include "internal.h"

#include <string.h>

static void escaped(struct buf *out, const char *text)
{
    for (; text && *text; text++) {
        switch (*text) {
        case '<':
            BUF_LIT(out, "&lt;");
            break;
        case '>':
            BUF_LIT(out, "&gt;");
            break;
        case '&':
            BUF_LIT(out, "&amp;");
            break;
        case '"':
            BUF_LIT(out, "&quot;");
            break;
        default:
            buf_putc(out, *text);
        }
    }
}

static const char *kind_word(const struct property_spec *p)
{
    static const char *const words[] = {"any", "string", "integer", "number", "boolean", "array", "object"};
    return p->format ? p->format : words[p->kind];
}

static void row(struct buf *out, const char *name, const char *where, const struct property_spec *type, bool required)
{
    BUF_LIT(out, "<tr><td><code>");
    escaped(out, name);
    buf_printf(out, "</code></td><td>%s</td><td>", where);
    escaped(out, kind_word(type));
    buf_printf(out, "%s%s</td></tr>\n", type->nullable ? " or null" : "", required ? ", required" : "");
}

static void input_table(struct buf *out, const struct operation *operation)
{
    static const char *const places[] = {"path", "query", "header"};
    if (!operation->n_params && !operation->n_body_members)
        return;
    BUF_LIT(out, "<table><tr><th>Input</th><th>In</th><th>Type</th></tr>\n");
    for (size_t i = 0; i < operation->n_params; i++)
        row(out, operation->params[i].name, places[operation->params[i].in], &operation->params[i].type, operation->params[i].required);
    for (size_t i = 0; i < operation->n_body_members; i++)
        row(out, operation->body_members[i].name, "body", &operation->body_members[i], operation->body_members[i].required);
    BUF_LIT(out, "</table>\n");
}

static void operation_section(struct buf *out, const struct operation *operation)
{
    const char *description = json_string_value(json_object_get(operation->raw, "description"));
    buf_printf(out, "<section id=\"%s\"><h3><code>%s ", operation->id, http_method_name(operation->method));
    escaped(out, operation->path);
    BUF_LIT(out, "</code></h3><p><b>");
    escaped(out, operation->summary);
    BUF_LIT(out, "</b></p><p>");
    escaped(out, description);
    BUF_LIT(out, "</p>\n<p class=\"s\">");
    if (operation->is_public)
        BUF_LIT(out, "Public.");
    for (size_t i = 0; i < operation->n_scopes; i++)
        buf_printf(out, "%s<code>%s</code>", i ? ", " : "Scope: ", operation->scopes[i]);
    buf_printf(out, " Success: %d", operation->success);
    for (size_t i = 0; i < operation->n_reply_types; i++)
        buf_printf(out, "%s %s", i ? "," : " as", operation->reply_types[i]);
    BUF_LIT(out, ".</p>\n");
    input_table(out, operation);
    BUF_LIT(out, "</section>\n");
}

static void problem_row(void *cls, const struct problem_entry *entry)
{
    struct buf *out = cls;
    buf_printf(out, "<tr id=\"problems-%s\"><td><code id=\"%s\">%s</code></td><td>%d</td><td>", entry->code, entry->code, entry->code,
               status_http(entry->status));
    escaped(out, entry->title_en);
    BUF_LIT(out, "</td><td lang=\"id\">");
    escaped(out, entry->title_id);
    BUF_LIT(out, "</td></tr>\n");
}

void docs_make(struct engine *engine)
{
    struct buf out;
    size_t n;
    const struct operation *operations = contract_operations(engine->contract, &n);
    buf_init(&out, engine->arena, 131072);
    BUF_LIT(
        &out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>asnd</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}"
        "code{background:#f2f2f2;padding:.1em .3em}table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #ccc;"
        "padding:.2rem .6rem;text-align:left;vertical-align:top}section{border-top:1px solid #ddd}.s{color:#555}"
        "nav li{display:inline-block;margin-right:1rem}</style>\n<h1>asnd</h1><p>The contract: <a href=\"/openapi.yaml\">openapi.yaml</a>, "
        "<a href=\"/openapi.json\">openapi.json</a>.</p><nav><ul>\n");
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "<li><a href=\"#%s\">%s</a></li>\n", operations[i].id, operations[i].id);
    BUF_LIT(&out, "</ul></nav><h2>Operations</h2>\n");
    for (size_t i = 0; i < n; i++)
        operation_section(&out, &operations[i]);
    BUF_LIT(&out, "<h2 id=\"problems\">Problems</h2><table><tr><th>code</th><th>status</th><th>English</th><th>Indonesia</th></tr>\n");
    problem_each(problem_row, &out);
    BUF_LIT(&out, "</table></html>\n");
    engine->docs_html = out.data;
    engine->docs_len = out.len;
}
