// A plain-C door to the reading of JSON: a line in, the spans of its fields or flat tokens out.
//
// Plain requests, flat objects of known fields without escapes, are read in one pass. Any other line is left to simdjson,
// which finds the structure (and checks UTF-8, quotes and control characters) of the whole line, and to a walk over that
// structure which checks the grammar of every byte. Nothing is accepted by either that was not looked at.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What is kept from line to line. One thread at a time.
typedef struct csj_reader csj_reader;

/// A run of bytes of a line.
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

/// The fields of plain requests; their numbers are bits of csj_row.present and indexes into csj_row.fields.
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
    CSJ_ATTRIBUTES,  ///< an object; its tokens are in the reader
    CSJ_MEMBER,
    CSJ_BOARD,
    CSJ_PERIOD,
    CSJ_LIMIT,
    CSJ_AROUND,
    CSJ_LOTS,  ///< true or false
    CSJ_REFERRER,
    CSJ_NAME,
    CSJ_EMAIL,
    CSJ_PHONE,
    CSJ_BIRTHDAY,
    CSJ_REGISTERED,
    CSJ_KIND,
    CSJ_CODE,
    CSJ_REFERRAL_CODE,
    CSJ_FIELDS
};

/// The operations of plain requests.
enum {
    CSJ_ACTION = 0,
    CSJ_MEMBER_PUT,
    CSJ_BOARD_RANK,
    CSJ_BOARD_TOP,
    CSJ_WALLET,
    CSJ_MEMBER_GET,
    CSJ_PING,
    CSJ_OPERATIONS,
    CSJ_OTHER = CSJ_OPERATIONS  ///< anything else, right or wrong
};

/// One line. Of CSJ_OTHER only the line's place is told.
typedef struct {
    uint32_t taken;      ///< bytes of the line with its line feed, if it has one
    uint32_t count;      ///< bytes without line feed and carriage return
    int32_t operation;
    uint32_t present;    ///< the fields that are there, each once, none that the operation does not have
    uint32_t numbers;    ///< those of them that are numbers
    uint32_t token_count;
    csj_span fields[CSJ_FIELDS];  ///< of texts without the quotes; set where `present` says so
} csj_row;

/// A field of a row.
static inline csj_span csj_field(const csj_row *row, int field) { return row->fields[field]; }

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
    uint32_t start;  ///< offset in the line; strings: behind the opening quote
    uint32_t count;  ///< strings: without the quotes
    uint32_t next;   ///< index of the token behind this value and all that is in it
    uint32_t kind;
} csj_token;

/// A reader that takes objects and arrays `depth_max` deep, or NULL without memory.
csj_reader *csj_create(uint32_t depth_max);
void csj_destroy(csj_reader *reader);

/// Reads the line at the beginning of `count` bytes, at least one, that may hold more lines.
void csj_read_line(csj_reader *reader, const uint8_t *line, size_t count, csj_row *row);

/// Checks that a line is one value, and writes its tokens. On failure `*fault` is the offset of the fault, or SIZE_MAX when
/// it is not known.
int csj_parse(csj_reader *reader, const uint8_t *line, size_t count, size_t *fault);

/// The tokens of the line parsed last, or of the attributes of the plain line read last.
const csj_token *csj_tokens(const csj_reader *reader);

#ifdef __cplusplus
}
#endif
