# SPDX-License-Identifier: GPL-2.0-or-later
[ -e /bin/ls ] || /bin/busybox --install -s /bin
PS1='\w # '
echo "$(uname -sr), on the screen of a primegpu"
echo "agent --stdio takes the agent's commands; help lists them"
