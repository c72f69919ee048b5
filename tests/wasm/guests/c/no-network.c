/* A rule for ocjail: clang --target=wasm32-wasi -O2 -o no-network.wasm no-network.c
 *
 * The input has no white space between its tokens, and within a JSON string a
 * quotation mark is escaped, so that this text can only be what it looks like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  size_t size = 0, room = 1 << 16, got;
  char *input = malloc(room);
  if (!input) return 1;
  while ((got = fread(input + size, 1, room - size - 1, stdin)) > 0) {
    size += got;
    if (size == room - 1 && !(input = realloc(input, room *= 2))) return 1;
  }
  if (ferror(stdin)) return 1;
  input[size] = 0;
  fputs(strstr(input, "\"net\":\"shared\"")
            ? "[{\"message\":\"the jail shares the host's network\",\"subject\":{\"kind\":\"namespace\",\"name\":\"net\"}}]"
            : "[]",
        stdout);
  return fflush(stdout) == 0 ? 0 : 1;
}
