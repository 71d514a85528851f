#include "spec/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/references.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::spec {

namespace {

const Value* value_of(const Value& mapping, std::string_view key) {
    for (const auto& [name, value] : mapping.pairs)
        if (name->text == key) return value.get();
    return nullptr;
}

// Where the containers are, which is known in each run alone.
bool is_told_to_commands(const std::string& name) {
    return name.starts_with("ROGATE_");
}

class Walk {
  public:
    Walk(const Context& context, std::map<std::string, std::string> variables)
        : context_(context), variables_(std::move(variables)) {}

    ValuePtr root(const Value& root) {
        auto made = std::make_shared<Value>(root);
        std::erase_if(made->pairs, [](const auto& pair) { return pair.first->text == "vars"; });
        for (auto& [name, value] : made->pairs)
            value = name->text == "steps" ? steps(value, true) : copy(value, name->text == "ready", false);
        return made;
    }

    bool used(const std::string& name) const { return used_.contains(name); }

  private:
    // A step sees what the ones before it captured. Those of a group that runs at once do not see each other,
    // and what a background step captures is its own.
    ValuePtr steps(const ValuePtr& list, bool in_order) {
        if (list->kind != Value::Kind::sequence) return copy(list, true, true);
        auto made = std::make_shared<Value>(*list);
        std::vector<const Value*> before;
        for (ValuePtr& step : made->items) {
            const Value& written = *step;
            step_ = &written;
            step = copy(step, true, true);
            if (in_order)
                note_captures(written);
            else
                before.push_back(&written);
        }
        for (const Value* step : before) note_captures(*step);
        return made;
    }

    void note_captures(const Value& step) {
        if (const Value* group = value_of(step, "parallel"))
            for (const ValuePtr& inside : group->items) note_captures(*inside);
        const Value* captures = value_of(step, "capture");
        if (captures == nullptr) return;
        for (const auto& [name, unused] : captures->pairs) {
            if (variables_.contains(name->text))
                context_.problem(*name,
                                 fmt::format("variable {} is captured here, and given by 'vars' or --set; "
                                             "name one of them otherwise",
                                             in_quotes(name->text)));
            captured_.insert(name->text);
        }
    }

    ValuePtr copy(const ValuePtr& value, bool resolved_later, bool in_steps) {
        if (value->kind == Value::Kind::scalar) return scalar(value, resolved_later, in_steps);
        auto made = std::make_shared<Value>(*value);
        for (ValuePtr& item : made->items) item = copy(item, resolved_later, in_steps);
        for (auto& [name, inside] : made->pairs) {
            if (value.get() == step_) in_command_ = name->text == "command";
            const bool group = in_steps && (name->text == "parallel" || name->text == "background");
            inside =
                group ? steps(inside, name->text == "background") : copy(inside, resolved_later, in_steps);
        }
        if (value.get() == step_) in_command_ = false;
        return made;
    }

    ValuePtr scalar(const ValuePtr& value, bool resolved_later, bool in_steps) {
        if (value->text.find("${{") == std::string::npos) return value;
        if (const std::string broken = broken_reference(value->text); !broken.empty())
            context_.problem(*value,
                             fmt::format("{} is no reference to a variable; write ${{{{ name }}}}, or "
                                         "$${{{{ for the text itself",
                                         in_quotes(broken)));
        auto made = std::make_shared<Value>(*value);
        made->text = replace_references(
            value->text,
            [&](const std::string& name) -> std::optional<std::string> {
                used_.insert(name);
                const auto found = variables_.find(name);
                if (found == variables_.end()) {
                    check_captured(*value, name, in_steps);
                    return std::nullopt;
                }
                return resolved_later ? without_references(found->second) : found->second;
            },
            resolved_later ? Escapes::keep : Escapes::resolve);
        // The lines are still those of the file, the columns are not.
        made->text_at.column = 0;
        if (std::ranges::count(made->text, '\n') != std::ranges::count(value->text, '\n')) made->text_at = {};
        return made;
    }

    void check_captured(const Value& at, const std::string& name, bool in_steps) {
        if (in_steps && (captured_.contains(name) || name == "repetition")) return;
        if (in_command_ && is_told_to_commands(name)) return;
        std::vector<std::string_view> known;
        for (const auto& [each, unused] : variables_) known.push_back(each);
        if (in_steps)
            for (const std::string& each : captured_) known.push_back(each);
        std::string what_to_do = known.empty()
                                     ? std::string("declare it in 'vars', or capture it in an earlier step")
                                     : suggestion(name, known);
        if (!in_steps && captured_.contains(name))
            what_to_do = "it is captured by a step, so only later steps know it";
        context_.problem(at, fmt::format("unknown variable {}; {}", in_quotes(name), what_to_do));
    }

    const Context& context_;
    std::map<std::string, std::string> variables_;
    std::set<std::string> captured_, used_;
    const Value* step_ = nullptr;  // that is being gone through
    bool in_command_ = false;      // in what it runs on rogate's machine
};

std::map<std::string, std::string> declared(const Value& root, const Context& context) {
    std::map<std::string, std::string> found;
    const Value* vars = value_of(root, "vars");
    if (vars == nullptr) return found;
    if (vars->kind != Value::Kind::mapping) {
        context.problem(*vars, fmt::format("'vars' is {}; write a mapping (user: qa)", kind_name(*vars)));
        return found;
    }
    for (const auto& [name, value] : vars->pairs) {
        if (!is_variable_name(name->text) || name->text == "repetition")
            context.problem(*name,
                            fmt::format("{} cannot name a variable; letters, digits and _ can, beginning "
                                        "with a letter ('repetition' is the number that 'repeat' counts)",
                                        in_quotes(name->text)));
        if (is_told_to_commands(name->text))
            context.problem(*name,
                            fmt::format("{} begins with ROGATE_, as what commands are told does; name it "
                                        "otherwise",
                                        in_quotes(name->text)));
        if (const auto text = read_text(*value, in_quotes(name->text), context))
            found.emplace(name->text, *text);
    }
    return found;
}

}  // namespace

Substituted with_variables(const Value& root, const Context& context) {
    Substituted result;
    result.variables = declared(root, context);
    auto all = result.variables;
    for (const auto& [name, value] : context.surroundings.variables) all.insert_or_assign(name, value);
    Walk walk(context, all);
    result.root = walk.root(root);
    for (const auto& [name, value] : all)
        if (result.variables.contains(name) || walk.used(name))
            result.variables.insert_or_assign(name, value);
    return result;
}

}  // namespace rogate::spec
