"""`python -m pgnet` is `pgnet`."""

import sys

from pgnet.cli import main

sys.exit(main())
