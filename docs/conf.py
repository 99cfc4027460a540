# SPDX-License-Identifier: GPL-2.0-or-later
"""Sphinx configuration of primegpu's documentation."""

project = 'primegpu'
copyright = 'The primegpu authors'

extensions = []
source_suffix = {'.rst': 'restructuredtext'}
master_doc = 'index'
exclude_patterns = []

default_role = 'any'
nitpicky = True

html_theme = 'sphinx_rtd_theme'
html_show_sourcelink = False
