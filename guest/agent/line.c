/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of the protocol: words, numbers, names.  Pure.
 */
#include <ctype.h>
#include <string.h>

#include "agent.h"

/* Cut line into words, in place; the number of words, or -1 if above max. */
int line_split(char *line, char **words, int max)
{
    int n = 0;
    char *save = NULL;
    char *word = strtok_r(line, " \t\r", &save);

    for (; word; word = strtok_r(NULL, " \t\r", &save)) {
        if (n == max) {
            return -1;
        }
        words[n++] = word;
    }
    return n;
}

/* Decimal, or hexadecimal after 0x; nothing else, and no more than 64 bits */
bool line_number(const char *text, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";
    unsigned int base = 10;
    uint64_t number = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (!*text) {
        return false;
    }
    for (; *text; text++) {
        const char *digit = strchr(digits, tolower((unsigned char)*text));

        if (!digit || digit - digits >= (long)base ||
            __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, digit - digits, &number)) {
            return false;
        }
    }
    *value = number;
    return true;
}

/* The number of worker pN, or -1 */
int line_worker(const char *text)
{
    int n;

    if (text[0] != 'p' || !isdigit((unsigned char)text[1])) {
        return -1;
    }
    n = text[1] - '0';
    if (!text[2]) {
        return n;
    }
    if (!n || !isdigit((unsigned char)text[2]) || text[3]) {
        return -1;
    }
    n = n * 10 + text[2] - '0';
    return n < SLOTS ? n : -1;
}

bool line_name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return name[0] >= 'a' && name[0] <= 'z' && !name[n] &&
           n < PRIMEGPU_AGENT_NAME_MAX;
}

/* Nothing but printable characters and blanks may come in. */
bool line_text_ok(const char *line, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        unsigned char ch = line[i];

        if (ch < ' ' ? ch != '\t' && ch != '\r' : ch == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Take a leading #N off; false if it is not a number of 32 bits. */
bool line_take_marker(char **line, bool *present, uint32_t *marker)
{
    char word[24] = "";
    uint64_t value;
    size_t n;

    *line += strspn(*line, " \t\r");
    *present = **line == '#';
    if (!*present) {
        return true;
    }
    n = strcspn(*line, " \t\r");
    if (n >= sizeof(word)) {
        return false;
    }
    memcpy(word, *line, n);
    if (!line_number(word + 1, &value) || value > UINT32_MAX) {
        return false;
    }
    *marker = value;
    *line += n;
    *line += strspn(*line, " \t\r");
    return true;
}
