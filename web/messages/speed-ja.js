/** 速さの文言。規則は first-ja.js と同じ。 */
export const speed = {
  "speed.decode": "生成の速さ",
  "speed.reading": "読み取りの速さ",
  "speed.first": "最初の1語まで {x}",
  "speed.limit": "ここが上限",
  "speed.limit_memory": "上限は {x} のメモリの帯域",
  "speed.limit_compute": "上限は {x} の計算",
  "speed.limit_launch": "上限は {x} の層ごとの手間",
  "speed.limit_link": "上限は PCIe や GPU 間の転送",
  "speed.limit_disk": "上限は SSD の読み出し",
  "speed.place_host": "RAM",
  "speed.place_link": "PCIe",
  "speed.place_disk": "SSD",
  "speed.slow": "人が読む速さより遅めです",
};
