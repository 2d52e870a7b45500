// A plain-C door to simdjson: lines of JSON in, spans of their fields or flat tokens out.
//
// simdjson finds the structure (and checks UTF-8, quotes and control characters) of a whole buffer in one pass; the walk
// over that structure here checks the grammar of every byte, so nothing is accepted that was not looked at.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Holds the structure of the buffer indexed last. One thread at a time.
typedef struct csj_parser csj_parser;

/// A run of bytes of the indexed buffer.
typedef struct {
    uint32_t start;
    uint32_t count;
} csj_span;

/// What can be wrong with JSON.
enum {
    CSJ_OK = 0,
    CSJ_UTF8 = 1,            ///< bytes that are not UTF-8
    CSJ_CONTROL = 2,         ///< a control character inside a string
    CSJ_UNCLOSED = 3,        ///< a string without its closing quote
    CSJ_VALUE = 4,           ///< something else where a value belongs
    CSJ_NUMBER = 5,          ///< a malformed number
    CSJ_ESCAPE = 6,          ///< a malformed escape in a string
    CSJ_KEY = 7,             ///< something else where a key belongs
    CSJ_COLON = 8,           ///< no colon behind a key
    CSJ_COMMA = 9,           ///< neither a comma nor the end of the object or array
    CSJ_TRAILING = 10,       ///< something behind the value
    CSJ_DEPTH = 11,          ///< nested too deeply
    CSJ_EMPTY = 12,          ///< nothing at all
    CSJ_MEMORY = 13          ///< no memory
};

/// The fields of an action; their numbers are bits of csj_row.present and indexes into csj_row.fields.
enum {
    CSJ_OP = 0,
    CSJ_ID,
    CSJ_WORKSPACE,
    CSJ_EXTERNAL_ID,
    CSJ_PERFORMER,
    CSJ_TYPE,
    CSJ_VALUE_FIELD,
    CSJ_CURRENCY,
    CSJ_AT,
    CSJ_TITLE,
    CSJ_ATTRIBUTES,  ///< an object, its inside not yet checked
    CSJ_FIELDS
};

/// Further bits of csj_row.present.
enum {
    CSJ_VALUE_IS_NUMBER = 1 << 16,  ///< the value stood without quotes
    CSJ_ID_IS_NUMBER = 1 << 17,     ///< the id stood without quotes
    CSJ_PLAIN = 1 << 18             ///< a well-formed action of known, unescaped fields
};

/// One line. Unless it is CSJ_PLAIN, only the line's place and `first` are filled.
typedef struct {
    uint32_t start;    ///< offset of the line in the buffer
    uint32_t count;    ///< bytes without line feed and carriage return
    uint32_t first;    ///< its first structural
    uint32_t present;
    uint32_t attributes;  ///< the structural that opens the attributes, if they are present
    csj_span fields[CSJ_FIELDS];
} csj_row;

/// What a token is.
enum {
    CSJ_OBJECT = 0,
    CSJ_ARRAY,
    CSJ_STRING,
    CSJ_ESCAPED_STRING,  ///< a string with escapes, all of them checked
    CSJ_NUMBER_TOKEN,
    CSJ_TRUE,
    CSJ_FALSE,
    CSJ_NULL
};

/// One value or key, in document order: an object is followed by key, value, key, value …
typedef struct {
    uint32_t start;  ///< strings: behind the opening quote
    uint32_t count;  ///< strings: without the quotes
    uint32_t next;   ///< index of the token behind this value and all that is in it
    uint32_t kind;
} csj_token;

/// A parser, or NULL without memory.
csj_parser *csj_create(void);
void csj_destroy(csj_parser *parser);

/// Finds the structure of whole lines. `bytes` must stay as they are while rows and tokens are read.
int csj_index(csj_parser *parser, const uint8_t *bytes, size_t count);

/// Fills rows for the lines from `*line` (and structural `*structural`) on and moves both; returns how many.
/// Lines of no bytes are left out.
size_t csj_rows(csj_parser *parser, size_t *line, uint32_t *structural, csj_row *rows, size_t capacity);

/// How many structurals of the indexed buffer are from `first` up to offset `end`: an upper bound of its tokens.
size_t csj_structurals(const csj_parser *parser, uint32_t first, size_t end);

/// Checks the one value that stands from structural `first` to offset `end` and writes its tokens. On failure `*at` is the
/// offset of the fault.
int csj_tokens(const csj_parser *parser, uint32_t first, size_t end, uint32_t depth_max, csj_token *tokens,
               size_t *written, size_t *at);

#ifdef __cplusplus
}
#endif
