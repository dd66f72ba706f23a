#pragma once
// The tasks by name. A new task adds one row to registry.cpp.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct TaskEntry {
    std::string name;                             // "mante"
    std::string title;                            // "context-dependent decision"
    std::string source;                           // "Mante & Sussillo 2013"
    std::function<std::unique_ptr<Task>()> make;  // with the default options
};

// All tasks, in the order of neuro.md 4.2.
std::span<const TaskEntry> tasks();

// The task of that name; '-' is read as '_'. Error(usage) that names the nearest ones when unknown.
const TaskEntry& find_task(const std::string& name);

}  // namespace soma::neuro
