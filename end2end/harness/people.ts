// Who calls in the demonstration. Every number is from a range that is reserved for fiction or for tests.

export interface Person {
  /** As the demonstration directory and the customer's phone name them. */
  name: string;
  /** E.164. */
  number: string;
  /** The trunk prefix of national writing. */
  trunk: string;
  /** How many digits the country code has. */
  countryDigits: number;
  customerId?: string;
  /** The operator who looks after them. */
  operator?: string;
}

const uk = { trunk: '0', countryDigits: 2 };

export const people = {
  koshii: { ...uk, name: '越井 琢巳', number: '+447700900101', customerId: 'cm-koshii', operator: 'user001' },
  sato: { ...uk, name: '佐藤 美咲', number: '+447700900102', customerId: 'cm-sato', operator: 'user001' },
  oneil: {
    name: "O'Neil & Sons <K>",
    number: '+12025550143',
    trunk: '1',
    countryDigits: 1,
    customerId: 'cm-oneil',
    operator: 'user001',
  },
  suzuki: { ...uk, name: '鈴木 一郎', number: '+447700900104', customerId: 'cm-suzuki', operator: 'user002' },
  maria: {
    name: 'María José 🌸',
    number: '+61491570156',
    trunk: '0',
    countryDigits: 2,
    customerId: 'cm-maria',
    operator: 'user002',
  },
  stranger: { ...uk, name: '', number: '+447700900199' },
} satisfies Record<string, Person>;

/** A caller who withholds their number. */
export const WITHHELD = 'anonymous';

/** The company's own number: no secret. */
export const COMPANY = '+15005550006';
