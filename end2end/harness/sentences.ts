// What callers are told when no operator answers: of each sentence, what only that one says.
export const SENTENCES = {
  unknown: '電話番号のご登録を確認できないため',
  withheld: '電話番号を通知して',
  trouble: 'ただいま担当者におつなぎできません',
  busy: '電話をお受けできません',
  noAnswer: '電話に出ることができません',
} as const;

export type Sentence = keyof typeof SENTENCES;
