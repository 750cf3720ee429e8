#include "routing/phrases.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "sluice/config/conditions.hpp"

namespace sluice::routing {
namespace {

using config::CodeLanguage;

// A star at the end: the word may go on. English, German, French, Spanish, Italian, Portuguese, Russian, Chinese,
// Japanese, Korean.
constexpr std::string_view kReasoning[] = {"prove",
                                           "proof*",
                                           "derive*",
                                           "derivation*",
                                           "step by step",
                                           "step-by-step",
                                           "analyse*",
                                           "analyze*",
                                           "analysis",
                                           "compare*",
                                           "comparison*",
                                           "evaluate",
                                           "reason about",
                                           "reasoning",
                                           "deduce*",
                                           "infer",
                                           "justify*",
                                           "trade-off*",
                                           "tradeoff*",
                                           "optimize*",
                                           "optimise*",
                                           "debug*",
                                           "refactor*",
                                           "algorithm*",
                                           "theorem*",
                                           "hypothes*",
                                           "think through",
                                           "root cause*",
                                           "pros and cons",
                                           "calculate*",
                                           "explain why",
                                           "design a*",
                                           "solve*",
                                           "beweis*",
                                           "herleit*",
                                           "schritt für schritt",
                                           "analysier*",
                                           "vergleich*",
                                           "begründe*",
                                           "bewerte*",
                                           "berechne*",
                                           "erkläre warum",
                                           "prouve*",
                                           "démontre*",
                                           "étape par étape",
                                           "pas à pas",
                                           "justifie*",
                                           "évalue*",
                                           "calcule*",
                                           "demuestra*",
                                           "demostrar",
                                           "paso a paso",
                                           "analiza*",
                                           "compara*",
                                           "razona*",
                                           "evalúa*",
                                           "dimostra*",
                                           "passo dopo passo",
                                           "passo per passo",
                                           "analizza*",
                                           "confronta*",
                                           "giustifica*",
                                           "demonstre*",
                                           "passo a passo",
                                           "analise*",
                                           "justifique*",
                                           "докаж*",
                                           "выведи*",
                                           "шаг за шагом",
                                           "проанализ*",
                                           "сравни*",
                                           "обоснуй*",
                                           "объясни почему",
                                           "рассчитай*",
                                           "证明",
                                           "推导",
                                           "分析",
                                           "比较",
                                           "逐步",
                                           "一步一步",
                                           "推理",
                                           "为什么",
                                           "计算",
                                           "証明",
                                           "比較",
                                           "段階的",
                                           "ステップ",
                                           "導出",
                                           "理由",
                                           "증명",
                                           "분석",
                                           "비교",
                                           "단계별"};

constexpr std::string_view kConstraints[] = {
    "must",      "at least",    "at most",     "exactly",        "only",         "without",    "do not",
    "don't",     "never",       "always",      "no more than",   "no less than", "less than",  "ensure*",
    "require*",  "constraint*", "unless",      "muss",           "müssen",       "darf nicht", "mindestens",
    "höchstens", "genau",       "ohne",        "ausschließlich", "doit",         "doivent",    "au moins",
    "au plus",   "exactement",  "sans",        "jamais",         "uniquement",   "debe",       "deben",
    "al menos",  "como máximo", "exactamente", "nunca",          "solamente",    "deve",       "devono",
    "almeno",    "esattamente", "pelo menos",  "exatamente",     "долж*",        "не менее",   "не более",
    "ровно",     "только",      "必须",        "至少",           "最多",         "不要",       "只能",
    "不得",      "确保",        "必ず",        "少なくとも",     "以内",         "반드시",     "최소",
    "최대"};

struct Hint {
  std::string_view text;
  CodeLanguage language;
};
constexpr Hint kCode[] = {{"#include", CodeLanguage::kC},
                          {"printf(", CodeLanguage::kC},
                          {"malloc(", CodeLanguage::kC},
                          {"std::*", CodeLanguage::kCpp},
                          {"template <", CodeLanguage::kCpp},
                          {"template<", CodeLanguage::kCpp},
                          {"using system", CodeLanguage::kCsharp},
                          {"console.writeline*", CodeLanguage::kCsharp},
                          {"@media", CodeLanguage::kCss},
                          {"font-size:", CodeLanguage::kCss},
                          {"package main", CodeLanguage::kGo},
                          {"func main", CodeLanguage::kGo},
                          {"fmt.print*", CodeLanguage::kGo},
                          {"<html", CodeLanguage::kHtml},
                          {"<div", CodeLanguage::kHtml},
                          {"<!doctype html", CodeLanguage::kHtml},
                          {"public static void", CodeLanguage::kJava},
                          {"system.out.print*", CodeLanguage::kJava},
                          {"console.log", CodeLanguage::kJavascript},
                          {"async function", CodeLanguage::kJavascript},
                          {"require('*", CodeLanguage::kJavascript},
                          {"document.getelementbyid", CodeLanguage::kJavascript},
                          {"fun main", CodeLanguage::kKotlin},
                          {"<?php", CodeLanguage::kPhp},
                          {"def __*", CodeLanguage::kPython},
                          {"import numpy", CodeLanguage::kPython},
                          {"import pandas", CodeLanguage::kPython},
                          {"elif", CodeLanguage::kPython},
                          {"self.*", CodeLanguage::kPython},
                          {"attr_accessor", CodeLanguage::kRuby},
                          {"fn main", CodeLanguage::kRust},
                          {"println!", CodeLanguage::kRust},
                          {"let mut", CodeLanguage::kRust},
                          {"#!/bin/*", CodeLanguage::kShell},
                          {"#!/usr/bin/env bash", CodeLanguage::kShell},
                          {"apt-get", CodeLanguage::kShell},
                          {"select * from", CodeLanguage::kSql},
                          {"insert into", CodeLanguage::kSql},
                          {"create table", CodeLanguage::kSql},
                          {"inner join", CodeLanguage::kSql},
                          {"left join", CodeLanguage::kSql},
                          {"import swiftui", CodeLanguage::kSwift},
                          {"import foundation", CodeLanguage::kSwift},
                          {": string;", CodeLanguage::kTypescript}};

constexpr Hint kFences[] = {{"bash", CodeLanguage::kShell},
                            {"c", CodeLanguage::kC},
                            {"c#", CodeLanguage::kCsharp},
                            {"c++", CodeLanguage::kCpp},
                            {"cc", CodeLanguage::kCpp},
                            {"console", CodeLanguage::kShell},
                            {"cpp", CodeLanguage::kCpp},
                            {"cs", CodeLanguage::kCsharp},
                            {"csharp", CodeLanguage::kCsharp},
                            {"css", CodeLanguage::kCss},
                            {"cxx", CodeLanguage::kCpp},
                            {"go", CodeLanguage::kGo},
                            {"golang", CodeLanguage::kGo},
                            {"h", CodeLanguage::kC},
                            {"hpp", CodeLanguage::kCpp},
                            {"htm", CodeLanguage::kHtml},
                            {"html", CodeLanguage::kHtml},
                            {"java", CodeLanguage::kJava},
                            {"javascript", CodeLanguage::kJavascript},
                            {"js", CodeLanguage::kJavascript},
                            {"jsx", CodeLanguage::kJavascript},
                            {"kotlin", CodeLanguage::kKotlin},
                            {"kt", CodeLanguage::kKotlin},
                            {"mysql", CodeLanguage::kSql},
                            {"php", CodeLanguage::kPhp},
                            {"plsql", CodeLanguage::kSql},
                            {"postgresql", CodeLanguage::kSql},
                            {"py", CodeLanguage::kPython},
                            {"python", CodeLanguage::kPython},
                            {"python3", CodeLanguage::kPython},
                            {"rb", CodeLanguage::kRuby},
                            {"rs", CodeLanguage::kRust},
                            {"ruby", CodeLanguage::kRuby},
                            {"rust", CodeLanguage::kRust},
                            {"scss", CodeLanguage::kCss},
                            {"sh", CodeLanguage::kShell},
                            {"shell", CodeLanguage::kShell},
                            {"sql", CodeLanguage::kSql},
                            {"swift", CodeLanguage::kSwift},
                            {"ts", CodeLanguage::kTypescript},
                            {"tsx", CodeLanguage::kTypescript},
                            {"typescript", CodeLanguage::kTypescript},
                            {"zsh", CodeLanguage::kShell}};

static_assert(std::ranges::is_sorted(kFences, {}, &Hint::text), "it is searched by halves");

constexpr std::size_t kPhrases = std::size(kReasoning) + std::size(kConstraints) + std::size(kCode);

constexpr unsigned char first_of(const Phrase& phrase) { return static_cast<unsigned char>(phrase.text.front()); }

constexpr std::uint64_t bit_of(unsigned char second) { return std::uint64_t{1} << (second & 63); }

struct Table {
  std::array<Phrase, kPhrases> phrases{};
  std::array<std::uint16_t, 257> starts{};   // of those with that first byte
  std::array<std::uint64_t, 256> seconds{};  // of them, a bit for each second byte, which others may share
};

consteval Table make_table() {
  Table table;
  std::size_t count = 0;
  const auto add = [&](std::string_view text, PhraseKind kind, std::uint8_t language) {
    const bool stem = text.ends_with('*');
    table.phrases[count++] = {text.substr(0, text.size() - (stem ? 1 : 0)), kind, language, stem};
  };
  for (const std::string_view text : kReasoning) add(text, PhraseKind::kReasoning, 0);
  for (const std::string_view text : kConstraints) add(text, PhraseKind::kConstraint, 0);
  for (const Hint& hint : kCode) add(hint.text, PhraseKind::kCode, static_cast<std::uint8_t>(hint.language));
  std::ranges::sort(table.phrases, {}, first_of);
  for (const Phrase& phrase : table.phrases) {
    table.seconds[first_of(phrase)] |= bit_of(static_cast<unsigned char>(phrase.text[1]));
  }
  for (unsigned byte = 0, at = 0; byte < 257; ++byte) {
    while (at < count && first_of(table.phrases[at]) < byte) ++at;
    table.starts[byte] = static_cast<std::uint16_t>(at);
  }
  return table;
}

constexpr Table kTable = make_table();

}  // namespace

std::span<const Phrase> phrases_at(unsigned char first, unsigned char second) {
  if ((kTable.seconds[first] & bit_of(second)) == 0) return {};
  const std::size_t start = kTable.starts[first];
  return std::span(kTable.phrases).subspan(start, kTable.starts[first + 1U] - start);
}

const std::uint8_t* language_of_fence(std::string_view name) {
  static constexpr auto kNumbers = [] {
    std::array<std::uint8_t, std::size(kFences)> out{};
    std::ranges::transform(kFences, out.begin(), [](const Hint& h) { return static_cast<std::uint8_t>(h.language); });
    return out;
  }();
  const auto* const found = std::ranges::lower_bound(kFences, name, {}, &Hint::text);
  return found != std::end(kFences) && found->text == name ? &kNumbers[static_cast<std::size_t>(found - kFences)]
                                                           : nullptr;
}

}  // namespace sluice::routing
