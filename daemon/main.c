/* main.c - kithd: takes its role and runs it.
 */
#include "build.h"

#include <stdio.h>

int
main(void)
{
	(void)printf("%s\n", PACKAGE_STRING);
	return 0;
}
