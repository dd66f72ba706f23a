// The soma program. Everything is in cli/, so that tests can call it.

#include "cli/verbs.h"

int main(int argc, char** argv) { return soma::cli::run(argc, argv); }
