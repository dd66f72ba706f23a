#include <soma/soma_c.h>

#include <stdio.h>

int main(void) {
    const float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
    float c[4];
    const soma_status status = soma_sgemm(SOMA_NO_TRANS, SOMA_NO_TRANS, 2, 2, 2, 1, a, 2, b, 2, 0,
                                          c, 2, NULL, 0);
    if (status != SOMA_OK) {
        fprintf(stderr, "%s: %s\n", soma_status_name(status), soma_last_error());
        return 1;
    }
    printf("soma %s: %g %g %g %g\n", soma_version(), c[0], c[1], c[2], c[3]);
    return c[3] == 50 ? 0 : 1;
}
