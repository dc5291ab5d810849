//! Sums of what agents say.

/// The sum of an expression, absent where there is nothing to add: exact up to 2^53, and cut there. What one agent makes up must
/// not become an error of whoever adds it to others'.
macro_rules! sum {
    ($of:expr) => {
        concat!(
            "CASE WHEN sum(CAST(",
            $of,
            " AS DOUBLE PRECISION)) > 9007199254740991 THEN 9007199254740991 ELSE CAST(sum(CAST(",
            $of,
            " AS DOUBLE PRECISION)) AS BIGINT) END"
        )
    };
}

pub(super) use sum;
