/* Functions that have no safe use. Included before every file by the build; using one does not compile. */
#ifndef WM_CORE_BANNED_H
#define WM_CORE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* some C libraries make macros of them, which expand to each other */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strncpy
#undef strncat
#undef gets

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gmtime localtime ctime asctime strncpy strncat \
    gets

#endif
