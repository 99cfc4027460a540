/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rig's program: letters for pictures that engine jobs draw.
 */
#ifndef PRIMEGPU_RIG_FONT_H
#define PRIMEGPU_RIG_FONT_H

#define PG_GLYPH_WIDTH  5
#define PG_GLYPH_HEIGHT 7

/* A row of a letter, the left column in bit 4; 0 for letters it hasn't */
uint8_t pg_glyph_row(char letter, unsigned row);

#endif /* PRIMEGPU_RIG_FONT_H */
