/* SPDX-License-Identifier: Apache-2.0 */
/* The reading page at /docs: one plain HTML page made from the contract, so that it never disagrees with it. No scripts, nothing from
 * elsewhere: it works in an office without internet. */
#include "docs.h"

static void input_row(struct docs *d, const char *name, const char *where, const struct property_spec *type, bool required,
                      const char *description)
{
    buf_puts(d->out, "<tr><td><code>");
    docs_escaped(d->out, name);
    buf_printf(d->out, "</code></td><td>%s%s</td>", where, required ? ", required" : "");
    docs_value_cells(d, schema_source(type->schema), description);
    BUF_LIT(d->out, "</tr>\n");
}

static void input_table(struct docs *d, const struct operation *operation)
{
    static const char *const places[] = {"path", "query", "header"};
    if (!operation->n_params && !operation->n_body_members)
        return;
    BUF_LIT(d->out, "<table><tr><th>Input</th><th>In</th><th>Type</th><th>Allowed</th><th>Meaning</th></tr>\n");
    for (size_t i = 0; i < operation->n_params; i++) {
        const struct param_spec *p = &operation->params[i];
        input_row(d, p->name, places[p->in], &p->type, p->required, p->description);
    }
    for (size_t i = 0; i < operation->n_body_members; i++) {
        const struct property_spec *p = &operation->body_members[i];
        input_row(d, p->name, "body", p, p->required, NULL);
    }
    BUF_LIT(d->out, "</table>\n");
}

static void reply_table(struct docs *d, const struct operation *operation)
{
    if (!operation->n_reply_members)
        return;
    buf_printf(d->out, "<details><summary>%s</summary>\n<table><tr><th>Member</th><th>Type</th><th>Allowed</th><th>Meaning</th></tr>\n",
               operation->is_list ? "Reply: <code>data</code> has rows of" : "Reply");
    for (size_t i = 0; i < operation->n_reply_members; i++)
        docs_member_rows(d, "", operation->reply_members[i].name, schema_source(operation->reply_members[i].schema), 0);
    BUF_LIT(d->out, "</table></details>\n");
}

static void operation_section(struct docs *d, const struct operation *operation)
{
    struct buf *out = d->out;
    const char *description = json_string_value(json_object_get(operation->raw, "description"));
    buf_printf(out, "<section id=\"%s\"><h3><code>%s ", operation->id, http_method_name(operation->method));
    docs_escaped(out, operation->path);
    BUF_LIT(out, "</code></h3><p><b>");
    docs_escaped(out, operation->summary);
    BUF_LIT(out, "</b></p><p>");
    docs_escaped(out, description);
    BUF_LIT(out, "</p>\n<p class=\"s\">");
    if (operation->is_public)
        BUF_LIT(out, "Public.");
    for (size_t i = 0; i < operation->n_scopes; i++)
        buf_printf(out, "%s<code>%s</code>", i ? ", " : "Scope: ", operation->scopes[i]);
    buf_printf(out, " Success: %d", operation->success);
    for (size_t i = 0; i < operation->n_reply_types; i++)
        buf_printf(out, "%s %s", i ? "," : " as", operation->reply_types[i]);
    BUF_LIT(out, ".</p>\n");
    input_table(d, operation);
    reply_table(d, operation);
    BUF_LIT(out, "</section>\n");
}

static void problem_row(void *cls, const struct problem_entry *entry)
{
    struct buf *out = cls;
    buf_printf(out, "<tr id=\"problems-%s\"><td><code id=\"%s\">%s</code></td><td>%d</td><td>", entry->code, entry->code, entry->code,
               status_http(entry->status));
    docs_escaped(out, entry->title_en);
    BUF_LIT(out, "</td><td lang=\"id\">");
    docs_escaped(out, entry->title_id);
    BUF_LIT(out, "</td></tr>\n");
}

static void make(struct docs_page *page, const struct contract *compiled)
{
    struct contract *contract = contract_reload(compiled);
    struct buf out;
    struct docs d = {.contract = contract, .out = &out};
    size_t n;
    const struct operation *operations = contract_operations(contract, &n);
    page->arena = arena_new(0);
    buf_init(&out, page->arena, 524288);
    BUF_LIT(
        &out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>asnd</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}"
        "code{background:#f2f2f2;padding:.1em .3em}table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #ccc;"
        "padding:.2rem .6rem;text-align:left;vertical-align:top}section{border-top:1px solid #ddd}.s{color:#555}"
        "nav li{display:inline-block;margin-right:1rem}</style>\n<h1>asnd</h1><p>The contract: <a href=\"/openapi.yaml\">openapi.yaml</a>, "
        "<a href=\"/openapi.json\">openapi.json</a>.</p><nav><ul>\n");
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "<li><a href=\"#%s\">%s</a></li>\n", operations[i].id, operations[i].id);
    BUF_LIT(&out, "</ul></nav><h2>Operations</h2>\n");
    for (size_t i = 0; i < n; i++)
        operation_section(&d, &operations[i]);
    docs_forms(&d);
    BUF_LIT(&out, "<h2 id=\"problems\">Problems</h2><table><tr><th>code</th><th>status</th><th>English</th><th>Indonesia</th></tr>\n");
    problem_each(problem_row, &out);
    BUF_LIT(&out, "</table></html>\n");
    page->html = (struct slice){out.data, out.len};
    contract_free(contract);
}

struct slice docs_html(struct docs_page *page, const struct contract *contract)
{
    pthread_mutex_lock(&page->lock);
    if (!page->arena)
        make(page, contract);
    pthread_mutex_unlock(&page->lock);
    return page->html;
}
