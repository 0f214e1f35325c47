/** What the invented people of the examples and benches are made of. Phone numbers are of ranges reserved for fiction. */

export const GIVEN_NAMES = [
  'Ada', 'Amara', 'Anaïs', 'Anders', 'Anneliese', 'Aoife', 'Arjun', 'Astrid', 'Aylin', 'Beatriz', 'Benedikt', 'Bogdan',
  'Brigid', 'Callum', 'Carmen', 'Chiara', 'Chinedu', 'Ciarán', 'Clémence', 'Dagny', 'Daniyar', 'Deepika', 'Dimitra', 'Dorota',
  'Edita', 'Eilidh', 'Ekaterina', 'Elif', 'Emeka', 'Emre', 'Enrique', 'Esther', 'Fatima', 'Felix', 'Femi', 'Fiona',
  'François', 'Freya', 'Gabriel', 'Gisela', 'Grace', 'Graham', 'Grzegorz', 'Gudrun', 'Habib', 'Hana', 'Haruka', 'Håkon',
  'Helga', 'Hiroshi', 'Hugo', 'Ibrahim', 'Ilse', 'Imani', 'Ingrid', 'Iris', 'Isak', 'Jamal', 'Jana', 'Jérôme',
  'Joaquín', 'Jolanta', 'José', 'Jürgen', 'Kaito', 'Kateřina', 'Keiko', 'Kofi', 'Kwame', 'Lars', 'Leila', 'Liam',
  'Linh', 'Lucía', 'Ludmila', 'Magnus', 'Mai', 'Małgorzata', 'Marek', 'Margarida', 'Mateo', 'Mei', 'Milan', 'Miriam',
  'Mustafa', 'Nadia', 'Naledi', 'Nikhil', 'Nils', 'Noor', 'Olga', 'Oluwaseun', 'Oscar', 'Paola', 'Pavel', 'Penelope',
  'Petra', 'Priya', 'Rafael', 'Ravi', 'Renée', 'Rosa', 'Ruth', 'Sakura', 'Samuel', 'Sébastien', 'Sinéad', 'Siobhán',
  'Søren', 'Stella', 'Sunita', 'Tadeusz', 'Tariq', 'Thandiwe', 'Theo', 'Tomás', 'Uchenna', 'Ulrike', 'Vera', 'Viktor',
  'Wanjiru', 'Wiktoria', 'Xavier', 'Yasmin', 'Yusuf', 'Zainab', 'Zoë',
] as const; // biome-ignore format: a list to be read by the line

export const SURNAMES = [
  'Abara', 'Achterberg', 'Adeyemi', 'Ahlström', 'Alder', 'Almeida', 'Anand', 'Arslan', 'Ashdown', 'Azevedo', 'Baptiste', 'Barrow',
  'Bergqvist', 'Bielecki', 'Birkeland', 'Blackwood', 'Boateng', 'Bonnet', 'Brandt', 'Brightwell', 'Byron', 'Calder', 'Castellanos', 'Cavendish',
  'Černý', 'Chanda', 'Chevalier', 'Coppersmith', 'Cortés', 'Crane', "D'Amico", 'Dahlgaard', 'Darrow', 'de la Cruz', 'Delacroix', 'Demir',
  'Devereux', 'Dlamini', 'Drăgan', 'Duarte', 'Eastwick', 'Ebner', 'Eklund', 'Ellery', 'Emecheta', 'Engström', 'Fairweather', 'Farouk',
  'Feldmann', 'Fenwick', 'Ferrante', 'Fitzgibbon', 'Fonseca', 'Forsythe', 'Fujimori', 'Gallagher', 'Ganesan', 'Garrity', 'Giordano', 'Gómez',
  'Greenhalgh', 'Grünwald', 'Haddad', 'Halloran', 'Hartigan', 'Hashimoto', 'Hawthorne', 'Heinrich', 'Hoàng', 'Holloway', 'Horváth', 'Ibekwe',
  'Ingleby', 'Iyer', 'Jankowski', 'Jelínek', 'Juhász', 'Kamau', 'Kaplan', 'Kavanagh', 'Keller', 'Khumalo', 'Kirchner', 'Kjeldsen',
  'Kobayashi', 'Kovač', 'Krüger', 'Lachance', 'Lancaster', 'Larkspur', 'Lefèvre', 'Lindqvist', 'Lovelace', 'Machado', 'Mahlangu', 'Marchetti',
  'Mbeki', 'McAllister', 'Mendoza', 'Mirzaei', 'Morrow', 'Müller-Voss', 'Nakagawa', 'Navarro', 'Ndiaye', 'Nightingale', 'Novák', "O'Neill",
  'Oakley', 'Obi', 'Okafor', 'Olofsson', 'Orłowski', 'Osei', 'Özdemir', 'Pankhurst', 'Papadakis', 'Pembroke', 'Pereira', 'Petrov',
  'Pham', 'Quill', 'Quintana', 'Rahman', 'Ravenscroft', 'Rinaldi', 'Rosenthal', 'Ruiz', 'Sandoval', 'Schäfer', 'Sepúlveda', 'Shah',
  'Silvestri', 'Skovgaard', 'Sørensen', 'Stanhope', 'Svoboda', 'Takeda', 'Tan', 'Thackeray', 'Toussaint', 'Trần', 'Underhill', 'Usman',
  'van Dijk', 'Vasquez', 'Verhoeven', 'Villanueva', 'Wainwright', 'Wójcik', 'Yamaguchi', 'Yıldız', 'Zanetti', 'Zhou', 'Zieliński',
] as const; // biome-ignore format: a list to be read by the line

export interface Department {
  readonly name: string;
  /** Of its head. */
  readonly head: string;
  /** Of people who lead nobody. */
  readonly titles: readonly string[];
}

export const DEPARTMENTS: readonly Department[] = [
  {
    name: 'Engineering',
    head: 'Chief Technology Officer',
    titles: ['Software Engineer', 'Senior Software Engineer', 'Site Reliability Engineer', 'Test Engineer', 'Designer'],
  },
  {
    name: 'Sales',
    head: 'Chief Sales Officer',
    titles: ['Account Executive', 'Senior Account Executive', 'Sales Engineer', 'Sales Assistant'],
  },
  {
    name: 'Customer Success',
    head: 'Head of Customer Success',
    titles: ['Support Engineer', 'Customer Success Partner', 'Trainer'],
  },
  {
    name: 'Finance',
    head: 'Chief Financial Officer',
    titles: ['Accountant', 'Senior Accountant', 'Payroll Specialist', 'Controller'],
  },
  { name: 'Operations', head: 'Chief Operating Officer', titles: ['Buyer', 'Logistics Planner', 'Facility Keeper'] },
  { name: 'Marketing', head: 'Head of Marketing', titles: ['Content Editor', 'Event Planner', 'Market Analyst'] },
  { name: 'People', head: 'Head of People', titles: ['Recruiter', 'People Partner', 'Legal Counsel, Employment'] },
  { name: 'IT', head: 'Head of IT', titles: ['Systems Administrator', 'Help Desk Technician', 'Security Analyst'] },
];

/** Indices into DEPARTMENTS: of any twenty people hired in a row, where they work. */
export const HIRING_PATTERN = [0, 1, 0, 3, 2, 0, 1, 4, 5, 0, 1, 6, 0, 2, 3, 1, 0, 4, 7, 5] as const;

export interface Office {
  readonly name: string;
  readonly streetAddress: string;
  readonly city: string;
  readonly state: string;
  readonly postalCode: string;
  readonly country: string;
  /** ISO 3166-1 alpha-2. */
  readonly usageLocation: string;
  /** The digits that a number between 0 and 99 completes. */
  readonly telephone: string;
  readonly mobile: string;
}

export const OFFICES: readonly Office[] = [
  {
    name: 'Belfast Quay',
    streetAddress: '1 Example Quay',
    city: 'Belfast',
    state: 'Northern Ireland',
    postalCode: 'BT1 1AA',
    country: 'United Kingdom',
    usageLocation: 'GB',
    telephone: '+44 28 9649 60',
    mobile: '+44 7700 9001',
  },
  {
    name: 'Berlin Mitte',
    streetAddress: 'Beispielstraße 12, 3. OG',
    city: 'Berlin',
    state: 'Berlin',
    postalCode: '10115',
    country: 'Germany',
    usageLocation: 'DE',
    telephone: '+49 30 23125 0',
    mobile: '+49 176 040690 ',
  },
  {
    name: 'Paris République',
    streetAddress: "7 rue de l'Exemple",
    city: 'Paris',
    state: '',
    postalCode: '75003',
    country: 'France',
    usageLocation: 'FR',
    telephone: '+33 1 99 00 17 ',
    mobile: '+33 6 39 98 21 ',
  },
  {
    name: 'New York 5th',
    streetAddress: '500 Sample Avenue, Floor 5',
    city: 'New York',
    state: 'NY',
    postalCode: '10110',
    country: 'United States',
    usageLocation: 'US',
    telephone: '+1 212 555 01',
    mobile: '+1 917 555 01',
  },
  {
    name: 'Stockholm Norr',
    streetAddress: 'Exempelgatan 3',
    city: 'Stockholm',
    state: '',
    postalCode: '113 30',
    country: 'Sweden',
    usageLocation: 'SE',
    telephone: '+46 8 465 004 ',
    mobile: '+46 70 174 06 ',
  },
];

export const CLUBS = [
  'Book Club',
  'Running',
  'First Aid',
  'Fire Wardens',
  'Green Office',
  'Chess',
  'Launch Aurora',
  'Launch Borealis',
] as const;
