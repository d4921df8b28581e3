/** Sentences about speed. Rules as in first-en.js. */
export const speed = {
  "speed.decode": "Decode speed",
  "speed.reading": "Reading speed",
  "speed.first": "first token after {x}",
  "speed.limit": "Bottleneck",
  "speed.limit_memory": "limited by the bandwidth of {x} memory",
  "speed.limit_compute": "limited by {x} compute",
  "speed.limit_launch": "limited by the overhead of each layer on {x}",
  "speed.limit_link": "limited by transfers over PCIe or between GPUs",
  "speed.limit_disk": "limited by reads from the SSD",
  "speed.place_host": "RAM",
  "speed.place_link": "PCIe",
  "speed.place_disk": "SSD",
  "speed.slow": "slower than people read",
};
