/** @type {import("./guide.js").Topic[]} */
export const guide = [
  {
    id: "how-to-use",
    title: "How to use it",
    blocks: [
      {
        steps: [
          "Enter the size of the model. If its name says 7B, that is `7`.",
          "Choose the [[precision]]. If in doubt, leave it at FP16.",
          "Press Calculate. From then on the result follows what you change.",
          "See on the ruler whether your [[gpu|graphics card]] holds it.",
        ],
      },
      "Paste a file name, and size and precision are read from it. Press any number to open its formula and source.",
      "What you enter is in the address of the page. Send the link, and others see the same result.",
    ],
  },
  {
    id: "parameter",
    title: "What a parameter is",
    blocks: [
      "Parameters are the numbers that a model learned in [[training]]. Together they are called its [[weights]].",
      "B stands for billion: 7B is 7,000,000,000 parameters, 70B is 70,000,000,000. M is a million, T a trillion.",
      "More of them usually make a better model. They also take more memory and answer more slowly.",
      "In a model divided into [[expert|experts]], only some work at a time: 30B-A3B has 30B in total, of which 3B are active. The others must be in memory too, so enter the **total** here.",
    ],
  },
  {
    id: "bytes",
    title: "How the GiB come about",
    blocks: [
      "A [[byte]] is 8 [[bit|bits]]. FP16 has 16 bits, so each number takes 2 bytes.",
      "A 7B model at FP16 is 7 billion × 2 = 14 billion bytes. Divided by 1024 three times, that is 13.04 [[gib|GiB]].",
      "Divided by 1000 three times, it is 14.00 GB. The size is the same; the unit differs.",
      "Many tools count in GiB and write “GB”. The “24 GB” of a graphics card, too, are very nearly 24 GiB.",
    ],
  },
  {
    id: "precisions",
    title: "Choosing FP32, FP16, BF16, INT8 or INT4",
    blocks: [
      {
        table: [
          ["Precision", "Each number", "When to use it"],
          ["FP32", "4 bytes", "Training and checks that need every digit. Rarely for just running a model."],
          ["FP16", "2 bytes", "The usual choice on a graphics card."],
          ["BF16", "2 bytes", "The usual choice in training; most recent models are published in it."],
          ["INT8", "1 byte", "To halve the memory. Quality hardly changes."],
          ["INT4", "0.5 bytes", "To run a large model on a card at home. Quality drops a little."],
        ],
      },
      "If in doubt: FP16 or BF16 to run a model. If that does not fit, INT8, then INT4.",
      "Real INT8 and INT4 files are a little larger, because they also store how the numbers were rounded. Q4_K_M in [[gguf|GGUF]] takes about 4.8 bits a number on average.",
    ],
  },
  {
    id: "float-integer",
    title: "Floating point and integers",
    blocks: [
      "FP means floating point, INT integer. A floating-point number has an [[exponent]] for its size and a [[mantissa]] for its digits.",
      {
        table: [
          ["Format", "Range", "Fineness", "Bits"],
          ["FP32", "up to ±3.4 × 10³⁸", "about 7 decimal digits", "sign 1, exponent 8, mantissa 23"],
          ["FP16", "up to ±65,504", "about 3 digits", "sign 1, exponent 5, mantissa 10"],
          ["BF16", "up to ±3.4 × 10³⁸", "2 to 3 digits", "sign 1, exponent 8, mantissa 7"],
          ["INT8", "−128 to 127", "256 steps", "an 8-bit integer"],
          ["INT4", "−8 to 7", "16 steps", "a 4-bit integer"],
        ],
      },
      {
        list: [
          "**Range** Floating point covers very large and very small numbers. Integers cover little, so each group of them gets a scale.",
          "**Fineness** FP16 is finer than BF16; BF16 has the wider range. It overflows less easily, which suits training.",
          "**Memory** follows the bits: FP16 takes half of FP32, INT4 an eighth.",
          "**Speed** Each new token reads nearly all the weights once, so smaller is faster, unless the card is poor at calculating in that format.",
          "**Uses** Training is mostly done in floating point; running a model often uses integers.",
        ],
      },
    ],
  },
  {
    id: "quality",
    title: "What quantization costs in quality",
    blocks: [
      "[[quantization|Quantizing]] rounds numbers to fewer bits. The rounding makes answers slightly worse.",
      {
        list: [
          "At 8 bits the difference usually goes unnoticed.",
          "At 4 bits there is a small loss; for most purposes it is good enough.",
          "Below 3 bits the loss is plain to see.",
        ],
      },
      "The table was measured on the first LLaMA 7B. Perplexity says how unsure a model is of the next word; lower is better. Shown is the increase over FP16.",
      {
        table: [
          ["Quantization", "Increase of perplexity"],
          ["Q8_0", "+0.0004"],
          ["Q6_K", "+0.0044"],
          ["Q5_K_M", "+0.0142"],
          ["Q4_K_M", "+0.0535"],
          ["Q3_K_M", "+0.2437"],
          ["Q2_K", "+0.8698"],
        ],
      },
      "Source: the help of llama.cpp's quantize command (2023). Newer and smaller models can lose more.",
      "For the same memory, a large model at 4 bits is often better than a small one at 16. Always check it on your own task.",
    ],
  },
  {
    id: "file-names",
    title: "How to read a file name",
    blocks: [
      {
        table: [
          ["Part of the name", "Meaning"],
          ["`7b`, `70B`, `135M`", "The number of parameters; 135M is 0.135B."],
          ["`8x7B`", "Eight experts. They share parts, so the total is less than 56B."],
          ["`30B-A3B`", "30B in total, 3B active at a time."],
          ["`E4B`", "An effective size; the stored weights are more."],
          ["`fp16`, `bf16`", "The precision."],
          ["`Q4_K_M`, `IQ3_XS`", "Quantization in GGUF; the first digit is roughly the bits."],
          ["`AWQ`, `GPTQ`, `4bit`", "Quantization for graphics cards, mostly 4 bits."],
          ["`4k`, `128k`, `1M`", "The [[context|context length]], not the size."],
          ["`00001-of-00002`", "A part of a divided file; all parts are needed."],
          ["`instruct`, `chat`, `it`", "Tuned to follow instructions; the size is the same."],
        ],
      },
      "Example: `ELYZA-japanese-Llama-2-7b-fast-instruct.fp16` is 7B at FP16. The 2 of `Llama-2` is its generation, not a size.",
    ],
  },
  {
    id: "not-included",
    title: "What this number leaves out",
    blocks: [
      "This is the size of the weights alone. Running a model adds the following.",
      {
        list: [
          "**[[kv_cache|KV cache]]** It grows with the conversation and with the number of users. Llama-3.1-8B takes 1.00 GiB for 8,192 [[token|tokens]].",
          "**[[batch|Batch]]** Processing more at once means more values in between.",
          "**[[buffer|Buffers]]** The workbench of the calculation; it depends on the [[runtime]] and its settings.",
          "**A fixed cost of the card** Merely starting to use it takes some hundred MiB, and so does a display.",
          "**Several cards** Each has its fixed cost, and talking to each other needs room too.",
          "**[[training|Training]]** Gradients and the optimizer's records come on top: about 16 bytes a parameter when all are trained, 112 GB for 7B.",
        ],
      },
      "“A rule of thumb with room to spare” takes the part for a short conversation as 20 %.",
    ],
  },
  // The numbers are those of the tab Training; tests/browser/flows/training.mjs compares them.
  {
    id: "training",
    title: "What training takes",
    blocks: [
      "[[training|Training]] holds four more things beside the weights, at the same time.",
      {
        list: [
          "**[[weights|Weights]]** The model itself.",
          "**Gradients** Which way each weight should go. There are as many as weights that are trained.",
          "**Optimizer states** Records for the update. AdamW has two for each weight that is trained.",
          "**Activations** What each layer leaves for the gradients. They grow with text length and [[batch]].",
          "**Logits** A score for every possible next word, for the loss. They grow with vocabulary, text length and batch.",
        ],
      },
      {
        list: [
          "**Full** trains every weight. Below it is in mixed precision, which keeps them in fp32 (4 bytes).",
          "**LoRA** leaves the weights as they are and trains small matrices beside them: 0.52\u00a0% in the example below.",
          "**QLoRA** is LoRA over weights [[quantization|quantized]] to 4 bits.",
        ],
      },
      "The example is Llama-3.1-8B on an RTX 4090: the tab Training with 2,048 tokens, batch 1 and all else as it opens, at the fullest moment of a step.",
      {
        table: [
          ["GiB", "Full", "LoRA", "QLoRA"],
          ["Weights", "29.92", "15.11", "7.42"],
          ["Gradients", "29.92", "–", "–"],
          ["Optimizer states", "59.83", "0.31", "0.31"],
          ["Activations", "–", "0.53", "0.53"],
          ["Logits and loss", "0.49", "3.42", "3.42"],
          ["Other", "3.1", "1.0", "1.0"],
          ["Total", "123.2", "20.38", "12.73"],
        ],
      },
      "A dash: not there yet at that moment, or gone. Full is fullest when the gradients are complete, LoRA and QLoRA when the loss is calculated. Other is work buffers, slack and the fixed cost of the GPU. The weights of QLoRA include embeddings and output layer in fp32 (the default of PEFT).",
      "**Checkpointing** keeps only the input of each layer and calculates the rest again when it is needed. The result is the same; the step takes longer. Only activations shrink. Without it, the LoRA above has 13.27 GiB of them, 33.76 GiB in total.",
      "If it does not fit, begin with what leaves the result as it is.",
      {
        steps: [
          "Checkpoint every block.",
          "Calculate the loss with CCE or Liger, which never hold all logits. With CCE the QLoRA above takes 9.52 GiB.",
          "Use batch 1 and accumulate gradients instead. At batch 4 the QLoRA above takes 25.19 GiB.",
          "In full training, use 8-bit AdamW. The example comes to 82.24 GiB, with nearly the same result.",
          "Change to LoRA, then to QLoRA, or shorten the texts.",
        ],
      },
      "The tab Training lists what each change frees on your GPU.",
    ],
  },
  {
    id: "choosing",
    title: "Choosing a size and trying it",
    blocks: [
      {
        list: [
          "**Small (up to a few B)** Runs on cards of 4–6 GB, or without one. Good for set tasks such as summaries and sorting.",
          "**Medium (about 7–14B)** Quantized, it runs on cards of 8–12 GB. Good for everyday conversation and drafts.",
          "**Large (from 30B)** Needs a card of 20 GB or more, or several. Good for difficult questions.",
        ],
      },
      "**Check your card** On Windows, open Task Manager, Performance, GPU, and look for “Dedicated GPU memory”. With an NVIDIA card the command `nvidia-smi` shows it too. A Mac shares its memory with the GPU: see “About This Mac”.",
      "**Try it** First make sure that a small model runs. Then try the size you want with a short conversation. Last, use real lengths and as many users as you expect, and watch the peak of the memory. If it is tight, go down one precision.",
    ],
  },
];
