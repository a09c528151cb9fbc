//! Bodies as people send them, in languages that nobody has listed.

use super::json;

/// Each with people's data under the names that their programs have for it.
const BODIES: [&str; 6] = [
    r#"{"kunde":{"vorname":"Ada","nachname":"Müller","geburtsdatum":"10.12.1815","strasse":"Hauptstr. 5","plz":"10115","ort":"Berlin","kontonummer":"532013000","iban":"DE89370400440532013000","kennwort":"Geheim4711","religion":"evangelisch"},"fehler":"Kunde Müller unbekannt"}"#,
    r#"{"cliente":{"nombre":"José","apellidos":"García López","fecha_nacimiento":"1974-03-02","dni":"12345678Z","calle":"Gran Vía 28","contraseña":"Secreto99","diagnóstico":"F32.1"},"mensaje":"José García no existe"}"#,
    r#"{"client":{"prenom":"Élodie","nom":"Lefèvre","naissance":"03/02/1974","rue":"12 rue de Rivoli","motDePasse":"Bonjour75","numeroSecu":"274037511600123"},"erreur":"Lefèvre: compte fermé"}"#,
    r#"{"klient":{"imie":"Łukasz","nazwisko":"Wiśniewski","pesel":"74030212345","ulica":"Marszałkowska 10","haslo":"Tajne123"},"blad":"Wiśniewski"}"#,
    r#"{"顧客":{"氏名":"田中太郎","住所":"東京都千代田区1-1","口座番号":"1234567"},"kokyaku":{"shimei":"田中太郎","kouza":1234567,"seinengappi":"昭和49年3月2日"}}"#,
    r#"{"patient":"Ada Lovelace","diagnosis":"F32.1","recipient":{"street":"12 St James's Square","ssn":"078-05-1120"},"security_answer":"fluffy","balances":{"Ada Lovelace":12,"grace":7},"visits":{"1815-12-10":"home"}}"#,
];

/// What was planted in them.
const PLANTED: [&str; 47] = [
    "Ada",
    "Müller",
    "10.12",
    "1815",
    "Hauptstr",
    "10115",
    "Berlin",
    "532013000",
    "DE89",
    "Geheim",
    "evangelisch",
    "unbekannt",
    "José",
    "García",
    "López",
    "1974",
    "12345678",
    "Gran",
    "Secreto",
    "F32",
    "existe",
    "Élodie",
    "Lefèvre",
    "03/02",
    "Rivoli",
    "Bonjour",
    "2740",
    "compte",
    "Łukasz",
    "Wiśniewski",
    "7403",
    "Marsz",
    "Tajne",
    "田中",
    "東京",
    "1234567",
    "昭和",
    "顧客",
    "氏名",
    "Lovelace",
    "James",
    "078-05",
    "fluffy",
    "grace",
    "home",
    "12-10",
    "fermé",
];

#[test]
fn nothing_of_anybody_is_shown_and_the_structure_is() {
    let shown: Vec<_> = BODIES.into_iter().map(json).collect();
    for text in &shown {
        for planted in PLANTED {
            assert!(!text.contains(planted), "{planted} in {text}");
        }
    }
    for (shown, keys) in shown.iter().zip([
        &["kunde", "vorname", "kontonummer", "fehler"][..],
        &["cliente", "contraseña", "apellidos", "mensaje"],
        &["client", "prenom", "motDePasse", "numeroSecu", "erreur"],
        &["klient", "nazwisko", "pesel", "haslo"],
        &["seinengappi"],
        &["patient", "security_answer", "ssn", "balances"],
    ]) {
        for key in keys {
            assert!(shown.contains(&format!("\"{key}\":")), "{key} in {shown}");
        }
    }
}
