/* Can write to files without a further call that anybody could see: hold DESCRIPTOR MAPPING. The first stays open for
 * writing; the second is mapped and closed. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
    char* mapped;
    int file;
    if (argc != 3 || open(argv[1], O_CREAT | O_WRONLY, 0644) < 0) return 1;
    file = open(argv[2], O_CREAT | O_RDWR, 0644);
    if (file < 0 || ftruncate(file, 4096)) return 2;
    mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED || close(file)) return 3;
    puts("started");
    fflush(stdout);
    for (;;) {
        ++*mapped;
        sleep(1);
    }
}
