//! Where customers, records of calls and keys are kept.

use std::path::{Path, PathBuf};

use database::Place;
use directory::{Keys, Region};
use domain::Identity;
use secrecy::SecretString;

use super::Problem;
use super::reading::{Noted, Reading};

/// Where things are kept, and by which rules.
#[derive(Debug)]
pub struct Keeping {
    /// `HITOKU_DATA`: for the database, the keys and the journal, unless they are elsewhere. By default systemd's
    /// `STATE_DIRECTORY`, or `hitoku` below the user's data folder. A rehearsal has a folder of its own in it, so that whoever
    /// forgets Twilio's settings meets no real customers.
    pub folder: PathBuf,
    /// `DATABASE_URL`, by default `hitoku.db` in the folder.
    pub place: Place,
    /// Whether that is given.
    pub place_given: bool,
    /// Whether this is a rehearsal's own directory, which the demonstration's people may fill.
    pub for_demonstration: bool,
    /// Whether the company's own API says who calls, so that a database without customers makes no stranger of anybody.
    pub for_company: bool,
    /// `NUMBER_KEY`: what numbers are sealed with. By default `number.key` in the folder, made once.
    pub number_key: Option<SecretString>,
    /// `NUMBER_KEY_FILE`: where that was read, if it was in a file.
    pub number_key_file: Option<PathBuf>,
    /// `PHONE_REGION`: the country of numbers without a country code, by default Japan.
    pub region: Region,
    /// `REVEALS_PER_DAY`: how many numbers may be revealed in 24 hours, by default 10.
    pub reveals_per_day: u64,
    /// `UNKNOWN_CALLERS`: the operator who takes calls of people whom nobody knows. By default they hear that they are not
    /// known.
    pub unknown_callers: Option<Identity>,
}

impl Keeping {
    pub(super) fn read(reading: &mut Reading<'_>, rehearsal: bool) -> Result<Self, Noted> {
        let folder = folder(reading, rehearsal);
        let place = reading.parsed("DATABASE_URL", Place::SHOULD_BE, |text| Place::parse(text).ok());
        let number_key = reading.text("NUMBER_KEY").map(|key| key.map(SecretString::from));
        if let Ok(Some(key)) = &number_key
            && let Err(why) = Keys::given(key)
        {
            reading.note(Problem::NotAKey(why.to_string()));
        }
        if let (Ok(Some(Place::Postgres(_))), Ok(None)) = (&place, &number_key) {
            reading.note(Problem::NoKey);
        }
        let region = reading.parsed("PHONE_REGION", Region::SHOULD_BE, Region::parse);
        // Whose numbers these would be is not known where the region is wrong.
        let is_number =
            |text: &str| region.is_ok_and(|region| region.unwrap_or(Region::JAPAN).has_number(text));
        let reveals = reading.parsed("REVEALS_PER_DAY", "a whole number such as 10", |text| {
            text.parse::<u32>().ok().map(u64::from)
        });
        let unknown_callers = reading.parsed(
            "UNKNOWN_CALLERS",
            "an operator's identity: 1 to 64 letters, digits, `_`, `-`, `.` or `@`, and no telephone number",
            |text| Identity::parse(text).ok().filter(|operator| !is_number(operator.as_str())),
        );
        let (folder, place) = (folder?, place?);
        Ok(Self {
            for_demonstration: rehearsal && place.is_none(),
            for_company: reading.source.has("INTERNAL_API_BASE"),
            place_given: place.is_some(),
            place: place.unwrap_or_else(|| Place::Sqlite(own_database(&folder))),
            folder,
            number_key: number_key?,
            number_key_file: reading.source.file_of("NUMBER_KEY"),
            region: region?.unwrap_or(Region::JAPAN),
            reveals_per_day: reveals?.unwrap_or(10),
            unknown_callers: unknown_callers?,
        })
    }

    /// The folder's database, which is this one unless another is given.
    #[must_use]
    pub fn own_database(&self) -> PathBuf {
        own_database(&self.folder)
    }

    /// Where the head of the audit trail is noted: beside a file that is given, which may be a copy of another with a trail
    /// that goes on otherwise, and in the folder for all else.
    #[must_use]
    pub fn audit_head(&self) -> PathBuf {
        match &self.place {
            Place::Sqlite(file) if self.place_given => file.with_added_extension("audit.head"),
            _ => self.folder.join("audit.head"),
        }
    }
}

fn own_database(folder: &Path) -> PathBuf {
    folder.join("hitoku.db")
}

fn folder(reading: &mut Reading<'_>, rehearsal: bool) -> Result<PathBuf, Noted> {
    let given =
        reading.parsed("HITOKU_DATA", "a folder; what `~` stands for, only a shell knows", |text| {
            (!text.starts_with('~')).then(|| PathBuf::from(text))
        })?;
    let state =
        reading.text("STATE_DIRECTORY")?.and_then(|folders| folders.split(':').next().map(PathBuf::from));
    let data = reading.text("XDG_DATA_HOME")?.map(PathBuf::from);
    let home = reading.text("HOME")?.map(|home| PathBuf::from(home).join(".local/share"));
    let ours = given.or(state).or_else(|| Some(data.or(home)?.join("hitoku"))).ok_or_else(|| {
        reading.bad("HITOKU_DATA", "a folder for the database and the keys, since there is no HOME")
    })?;
    Ok(if rehearsal { ours.join("rehearsal") } else { ours })
}

#[cfg(test)]
mod tests {
    use super::super::{Problems, Source};
    use super::*;

    fn read<const N: usize>(variables: [(&str, &str); N]) -> Result<Keeping, Problems> {
        reading(variables, false)
    }

    fn reading<const N: usize>(variables: [(&str, &str); N], rehearsal: bool) -> Result<Keeping, Problems> {
        let source = Source::of(variables);
        let mut reading = Reading::of(&source);
        let read = Keeping::read(&mut reading, rehearsal);
        reading.end(read)
    }

    fn folder_of<const N: usize>(variables: [(&str, &str); N]) -> String {
        read(variables).unwrap().folder.display().to_string()
    }

    #[test]
    fn without_settings_it_is_a_file_in_the_users_data_folder() {
        let keeping = read([("HOME", "/home/a")]).unwrap();
        assert_eq!(keeping.place.to_string(), "SQLite, /home/a/.local/share/hitoku/hitoku.db");
        assert!(keeping.number_key.is_none() && keeping.unknown_callers.is_none());
        assert_eq!((keeping.region, keeping.reveals_per_day), (Region::JAPAN, 10));
        let rehearsal = reading([("HOME", "/home/a")], true).unwrap();
        assert_eq!(rehearsal.folder.display().to_string(), "/home/a/.local/share/hitoku/rehearsal");
        assert!(rehearsal.for_demonstration && !keeping.for_demonstration);
        let given = [("HITOKU_DATA", "/d"), ("DATABASE_URL", "sqlite:/e.db")];
        let elsewhere = reading(given, true).unwrap();
        assert_eq!(elsewhere.folder.display().to_string(), "/d/rehearsal");
        assert!(!elsewhere.for_demonstration, "whose customers those are is not known");
    }

    #[test]
    fn a_folder_is_given_or_the_services_or_the_users() {
        assert_eq!(folder_of([("HITOKU_DATA", "x"), ("STATE_DIRECTORY", "/s"), ("HOME", "/h")]), "x");
        assert_eq!(folder_of([("STATE_DIRECTORY", "/s:/t"), ("HOME", "/h")]), "/s");
        assert_eq!(folder_of([("XDG_DATA_HOME", "/d"), ("HOME", "/h")]), "/d/hitoku");
        assert!(read([]).unwrap_err().to_string().starts_with("HITOKU_DATA should be a folder"));
        let tilde = read([("HITOKU_DATA", "~/hitoku")]).unwrap_err().to_string();
        assert!(tilde.starts_with("HITOKU_DATA should be a folder"));
    }

    #[test]
    fn on_a_database_of_others_the_key_must_be_given() {
        let url = ("DATABASE_URL", "postgres://a:hush@db/hitoku");
        let problem = read([("HOME", "/h"), url]).unwrap_err().to_string();
        assert!(
            problem.contains("NUMBER_KEY")
                && problem.contains("hitoku keys new")
                && !problem.contains("hush")
        );
        let key = secrecy::ExposeSecret::expose_secret(&Keys::fresh()).to_owned();
        assert!(read([("HOME", "/h"), url, ("NUMBER_KEY", &key)]).is_ok());
        let no_key = read([("HOME", "/h"), url, ("NUMBER_KEY", "hush")]).unwrap_err().to_string();
        assert!(no_key.starts_with("NUMBER_KEY: ") && !no_key.contains("hush"), "{no_key}");
        let elsewhere = [("HOME", "/h"), ("PHONE_REGION", "USA"), ("UNKNOWN_CALLERS", "0312345678")];
        assert!(!read(elsewhere).unwrap_err().to_string().contains("UNKNOWN_CALLERS"));
        for (variable, value) in [
            ("DATABASE_URL", "mysql://a"),
            ("PHONE_REGION", "Japan"),
            ("REVEALS_PER_DAY", "-1"),
            ("UNKNOWN_CALLERS", "a b"),
            ("UNKNOWN_CALLERS", "090-1234-5678"),
            ("UNKNOWN_CALLERS", "819012345678"),
        ] {
            let problem = read([("HOME", "/h"), (variable, value)]).unwrap_err().to_string();
            assert!(problem.starts_with(&format!("{variable} should be ")), "{problem}");
        }
    }
}
