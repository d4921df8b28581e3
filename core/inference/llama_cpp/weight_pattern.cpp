#include "core/inference/llama_cpp/weight_pattern.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace meyasu {
namespace {

constexpr int kMaxDepth = 32;     // nested groups
constexpr int kMaxRepeat = 255;   // {m,n}
constexpr int kMaxSteps = 20000;  // bounds both memory and time of a hostile pattern

using CharClass = std::bitset<256>;

std::size_t index_of(char character) {
  return static_cast<unsigned char>(character);
}

CharClass range(char low, char high) {
  CharClass set;
  for (std::size_t i = index_of(low); i <= index_of(high); ++i) set.set(i);
  return set;
}

/// The class of `\letter`, if it is one.
std::optional<CharClass> named_class(char letter) {
  CharClass set;
  switch (letter) {
    case 'd':
    case 'D':
      set = range('0', '9');
      break;
    case 'w':
    case 'W':
      set = range('a', 'z') | range('A', 'Z') | range('0', '9');
      set.set(index_of('_'));
      break;
    case 's':
    case 'S':
      for (const char space : {' ', '\t', '\n', '\v', '\f', '\r'}) set.set(index_of(space));
      break;
    default:
      return std::nullopt;
  }
  const bool negated = letter < 'a';
  return negated ? ~set : set;
}

struct Node {
  enum class Kind { empty, chars, sequence, either, repeat, begin, end };
  Kind kind = Kind::empty;
  CharClass set;
  int min = 0;
  int max = 0;  // -1: no limit
  std::vector<Node> children;
};

Node chars(CharClass set) {
  Node node;
  node.kind = Node::Kind::chars;
  node.set = set;
  return node;
}

}  // namespace

class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  Result<WeightPattern> run() {
    Node root = alternatives(0);
    if (!failed_ && position_ < text_.size()) failed_ = true;  // a ")" too many
    if (!failed_) emit(root);
    if (failed_) return Error{"override_pattern", "overrides", std::to_string(position_)};
    add(WeightPattern::Op::match);
    return std::move(program_);
  }

 private:
  [[nodiscard]] bool at(char character) const {
    return position_ < text_.size() && text_[position_] == character;
  }
  bool take(char character) {
    if (!at(character)) return false;
    ++position_;
    return true;
  }
  Node fail() {
    failed_ = true;
    return {};
  }

  Node alternatives(int depth) {
    if (depth > kMaxDepth) return fail();
    Node either;
    either.kind = Node::Kind::either;
    either.children.push_back(sequence(depth));
    while (!failed_ && take('|')) either.children.push_back(sequence(depth));
    return either.children.size() == 1 ? std::move(either.children.front()) : either;
  }

  Node sequence(int depth) {
    Node all;
    all.kind = Node::Kind::sequence;
    while (!failed_ && position_ < text_.size() && !at('|') && !at(')')) {
      all.children.push_back(repeated(depth));
    }
    return all;
  }

  Node repeated(int depth) {
    Node node = atom(depth);
    while (!failed_ && position_ < text_.size()) {
      int min = 0;
      int max = -1;
      if (take('*')) {
      } else if (take('+')) {
        min = 1;
      } else if (take('?')) {
        max = 1;
      } else if (at('{')) {
        if (!counts(min, max)) return fail();
      } else {
        break;
      }
      take('?');
      Node repeat;
      repeat.kind = Node::Kind::repeat;
      repeat.min = min;
      repeat.max = max;
      repeat.children.push_back(std::move(node));
      node = std::move(repeat);
    }
    return node;
  }

  bool number(int& value) {
    const std::size_t start = position_;
    value = 0;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
      value = value * 10 + (text_[position_] - '0');
      if (value > kMaxRepeat) return false;
      ++position_;
    }
    return position_ > start;
  }

  bool counts(int& min, int& max) {
    take('{');
    if (!number(min)) return false;
    max = min;
    if (take(',')) {
      max = -1;
      if (!at('}') && !number(max)) return false;
    }
    return take('}') && (max < 0 || max >= min);
  }

  Node atom(int depth) {
    const char first = text_[position_];
    switch (first) {
      case '(':
        return group(depth);
      case '[':
        return bracket();
      case '.': {
        ++position_;
        CharClass any;
        any.set();
        any.reset(index_of('\n')).reset(index_of('\r'));
        return chars(any);
      }
      case '\\':
        return escape();
      case '^':
      case '$': {
        ++position_;
        Node anchor;
        anchor.kind = first == '^' ? Node::Kind::begin : Node::Kind::end;
        return anchor;
      }
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        return fail();
      default:
        ++position_;
        return chars(CharClass{}.set(index_of(first)));
    }
  }

  Node group(int depth) {
    take('(');
    if (take('?') && !take(':')) return fail();  // look-ahead
    Node inside = alternatives(depth + 1);
    if (!take(')')) return fail();
    return inside;
  }

  /// Reads the escape after the backslash that is next; nothing for those not understood.
  std::optional<CharClass> escaped_class() {
    take('\\');
    if (position_ >= text_.size()) return std::nullopt;
    const char letter = text_[position_];
    if (auto set = named_class(letter)) {
      ++position_;
      return set;
    }
    if (range('a', 'z')[index_of(letter)] || range('A', 'Z')[index_of(letter)] ||
        range('0', '9')[index_of(letter)]) {
      return std::nullopt;  // back-references, \b and the like
    }
    ++position_;
    return CharClass{}.set(index_of(letter));
  }

  Node escape() {
    const auto set = escaped_class();
    return set ? chars(*set) : fail();
  }

  Node bracket() {
    take('[');
    const bool negated = take('^');
    CharClass set;
    while (position_ < text_.size() && !at(']')) {
      if (at('[')) return fail();  // POSIX classes
      if (at('\\')) {
        const auto inside = escaped_class();
        if (!inside) return fail();
        set |= *inside;
        continue;
      }
      const char low = text_[position_++];
      const bool is_range = at('-') && position_ + 1 < text_.size() && text_[position_ + 1] != ']';
      if (!is_range) {
        set.set(index_of(low));
        continue;
      }
      ++position_;
      const char high = text_[position_];
      if (high == '\\' || index_of(high) < index_of(low)) return fail();
      ++position_;
      set |= range(low, high);
    }
    if (!take(']')) return fail();
    return chars(negated ? ~set : set);
  }

  int add(WeightPattern::Op op, int first = 0, int second = 0) {
    if (program_.steps_.size() >= kMaxSteps) failed_ = true;
    if (!failed_) program_.steps_.push_back({op, first, second});
    return static_cast<int>(program_.steps_.size()) - 1;
  }
  [[nodiscard]] int next() const { return static_cast<int>(program_.steps_.size()); }
  WeightPattern::Step& step(int index) { return program_.steps_[static_cast<std::size_t>(index)]; }

  // Steps continue with the one after them unless they say otherwise.
  void emit(const Node& node) {
    if (failed_) return;
    switch (node.kind) {
      case Node::Kind::empty:
        break;
      case Node::Kind::chars:
        program_.classes_.push_back(node.set);
        add(WeightPattern::Op::chars, static_cast<int>(program_.classes_.size()) - 1);
        break;
      case Node::Kind::begin:
        add(WeightPattern::Op::begin);
        break;
      case Node::Kind::end:
        add(WeightPattern::Op::end);
        break;
      case Node::Kind::sequence:
        for (const Node& child : node.children) emit(child);
        break;
      case Node::Kind::either:
        emit_either(node);
        break;
      case Node::Kind::repeat:
        emit_repeat(node);
        break;
    }
  }

  void emit_either(const Node& node) {
    std::vector<int> exits;
    for (std::size_t i = 0; i + 1 < node.children.size() && !failed_; ++i) {
      const int split = add(WeightPattern::Op::split, next() + 1);
      emit(node.children[i]);
      exits.push_back(add(WeightPattern::Op::jump));
      if (!failed_) step(split).second = next();
    }
    emit(node.children.back());
    for (const int exit : exits) {
      if (!failed_) step(exit).first = next();
    }
  }

  void emit_repeat(const Node& node) {
    const Node& body = node.children.front();
    for (int i = 0; i < node.min && !failed_; ++i) emit(body);
    if (node.max < 0) {
      const int split = add(WeightPattern::Op::split, next() + 1);
      emit(body);
      add(WeightPattern::Op::jump, split);
      if (!failed_) step(split).second = next();
      return;
    }
    std::vector<int> splits;
    for (int i = node.min; i < node.max && !failed_; ++i) {
      splits.push_back(add(WeightPattern::Op::split, next() + 1));
      emit(body);
    }
    for (const int split : splits) {
      if (!failed_) step(split).second = next();
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
  bool failed_ = false;
  WeightPattern program_;
};

Result<WeightPattern> WeightPattern::compile(std::string_view pattern) {
  return PatternParser(pattern).run();
}

// Adds the steps that wait for a character (or the match) reachable from `step` at `position`.
// `seen[step]` is position + 1 once a step was visited there, so every step is visited once.
void WeightPattern::follow(int step, std::size_t position, std::size_t length,
                           std::vector<int>& list, std::vector<std::size_t>& seen) const {
  std::vector<int> pending = {step};
  while (!pending.empty()) {
    const auto index = static_cast<std::size_t>(pending.back());
    pending.pop_back();
    if (seen[index] == position + 1) continue;
    seen[index] = position + 1;
    const Step& at = steps_[index];
    const int after = static_cast<int>(index) + 1;
    switch (at.op) {
      case Op::chars:
      case Op::match:
        list.push_back(static_cast<int>(index));
        break;
      case Op::split:
        pending.push_back(at.second);
        pending.push_back(at.first);
        break;
      case Op::jump:
        pending.push_back(at.first);
        break;
      case Op::begin:
        if (position == 0) pending.push_back(after);
        break;
      case Op::end:
        if (position == length) pending.push_back(after);
        break;
    }
  }
}

bool WeightPattern::matches(std::string_view name) const {
  std::vector<int> active;
  std::vector<int> next_active;
  std::vector<std::size_t> seen(steps_.size(), 0);
  for (std::size_t position = 0; position <= name.size(); ++position) {
    follow(0, position, name.size(), active, seen);  // a match may start anywhere
    next_active.clear();
    for (const int index : active) {
      const Step& at = steps_[static_cast<std::size_t>(index)];
      if (at.op == Op::match) return true;
      if (position == name.size()) continue;
      if (classes_[static_cast<std::size_t>(at.first)][index_of(name[position])]) {
        follow(index + 1, position + 1, name.size(), next_active, seen);
      }
    }
    active.swap(next_active);
  }
  return false;
}

}  // namespace meyasu
