#include "tools/rules/lint_format.h"

#include <stdio.h>

static struct wm_text utf8(struct wm_text text) {
  return wm_text_is_utf8(text, NULL) ? text : WM_TEXT("?");
}

/* --- text --- */

static void format_text(const struct wm_findings *findings, bool all, struct wm_buf *buf) {
  (void)findings, (void)all, (void)buf;
}

/* --- json --- */

static void format_json(const struct wm_findings *findings, bool all, struct wm_buf *buf) {
  for (size_t i = 0; i < findings->count; i++) {
    const struct wm_finding *finding = &findings->items[i];
    if (finding->silenced && !all)
      continue;
    wm_buf_printf(buf, "{\"severity\":\"%s\",\"code\":\"%s\",\"file\":", wm_severity_name(finding->severity),
                  wm_code_name(finding->code));
    wm_buf_add_json(buf, utf8(finding->file));
    wm_buf_printf(buf, ",\"line\":%u,\"column\":%u,\"text\":", finding->line, finding->column);
    wm_buf_add_json(buf, utf8(finding->text));
    if (finding->silenced) {
      wm_buf_add_string(buf, ",\"silenced\":");
      wm_buf_add_json(buf, utf8(finding->reason));
    }
    wm_buf_add_string(buf, "}\n");
  }
}

/* --- github --- */

/* What a command of GitHub's log can't hold as it is; ':' and ',' end a property. */
static void add_escaped(struct wm_buf *buf, struct wm_text text, bool property) {
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
      wm_buf_printf(buf, "%%%02X", c);
    else
      wm_buf_add_char(buf, (char)c);
  }
}

static void format_github(const struct wm_findings *findings, bool all, struct wm_buf *buf) {
  for (size_t i = 0; i < findings->count; i++) {
    const struct wm_finding *finding = &findings->items[i];
    if (finding->silenced && !all)
      continue;
    wm_buf_printf(buf, "::%s file=", finding->severity == WM_WARNING ? "warning" : "error");
    add_escaped(buf, finding->file, true);
    if (finding->line > 0)
      wm_buf_printf(buf, ",line=%u,col=%u", finding->line, finding->column ? finding->column : 1);
    wm_buf_printf(buf, ",title=%s::", wm_code_name(finding->code));
    add_escaped(buf, finding->text, false);
    wm_buf_add_char(buf, '\n');
  }
}

/* --- sarif --- */

/* A relative or absolute path as a URI: what is not unreserved is escaped, '/' parts it. */
static void add_uri(struct wm_buf *buf, struct wm_text path) {
  while (wm_text_starts_with(path, WM_TEXT("./")))
    path.bytes += 2, path.size -= 2;
  wm_buf_add_string(buf, path.size > 0 && path.bytes[0] == '/' ? "\"file://" : "\"");
  for (size_t i = 0; i < path.size; i++) {
    unsigned char c = (unsigned char)path.bytes[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || memchr("-._~/", c, 5))
      wm_buf_add_char(buf, (char)c);
    else
      wm_buf_printf(buf, "%%%02X", c);
  }
  wm_buf_add_char(buf, '"');
}

/* The rules are the codes that occur; 'places' gets the index of each. */
static void add_rules(const struct wm_findings *findings, size_t places[static WM_CODE_COUNT], struct wm_buf *buf) {
  bool seen[WM_CODE_COUNT] = {false};
  size_t count = 0;
  for (size_t i = 0; i < findings->count; i++)
    seen[findings->items[i].code] = true;
  for (enum wm_code code = WM_OK; code < WM_CODE_COUNT; code++) {
    if (!seen[code])
      continue;
    wm_buf_printf(buf, "%s{\"id\":\"%s\",\"shortDescription\":{\"text\":", count > 0 ? "," : "", wm_code_name(code));
    wm_buf_add_json(buf, wm_text_of(wm_code_sentence(code)));
    wm_buf_add_string(buf, "}}");
    places[code] = count++;
  }
}

static void add_result(const struct wm_finding *finding, size_t rule, struct wm_buf *buf) {
  wm_buf_printf(buf, "{\"ruleId\":\"%s\",\"ruleIndex\":%zu,\"level\":\"%s\",\"message\":{\"text\":",
                wm_code_name(finding->code), rule, finding->severity == WM_WARNING ? "warning" : "error");
  wm_buf_add_json(buf, utf8(finding->text));
  wm_buf_add_string(buf, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
  add_uri(buf, finding->file);
  wm_buf_add_char(buf, '}');
  if (finding->line > 0)
    wm_buf_printf(buf, ",\"region\":{\"startLine\":%u,\"startColumn\":%u}", finding->line,
                  finding->column ? finding->column : 1);
  wm_buf_add_string(buf, "}}]");
  if (finding->silenced) {
    wm_buf_add_string(buf, ",\"suppressions\":[{\"kind\":\"inSource\",\"justification\":");
    wm_buf_add_json(buf, utf8(finding->reason));
    wm_buf_add_string(buf, "}]");
  }
  wm_buf_add_char(buf, '}');
}

static void format_sarif(const struct wm_findings *findings, bool all, struct wm_buf *buf) {
  size_t places[WM_CODE_COUNT] = {0};
  (void)all;
  wm_buf_add_string(buf, "{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                         "sarif-schema-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":"
                         "\"waymark\",\"version\":\"" WAYMARK_VERSION "\",\"rules\":[");
  add_rules(findings, places, buf);
  wm_buf_add_string(buf, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
  for (size_t i = 0; i < findings->count; i++) {
    if (i > 0)
      wm_buf_add_char(buf, ',');
    add_result(&findings->items[i], places[findings->items[i].code], buf);
  }
  wm_buf_add_string(buf, "]}]}\n");
}

/* --- all of them --- */

static const struct {
  const char *name;
  lint_format *format;
} formats[] = {{"text", format_text}, {"json", format_json}, {"sarif", format_sarif}, {"github", format_github}};

lint_format *lint_format_find(const char *name) {
  for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
    if (strcmp(formats[i].name, name) == 0)
      return formats[i].format;
  return NULL;
}
