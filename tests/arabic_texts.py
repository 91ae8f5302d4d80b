"""A hypothesis strategy for texts as nasty as the web makes them.

Holds no test.
"""

from hypothesis import strategies as st

ARABIC = st.text(
    st.one_of(
        st.sampled_from("سيطرتقواتحمصإدلبىةءئؤأآ"),
        st.sampled_from("\u064b\u064e\u0651\u0652\u0670\u0640"),  # marks and tatweel
        st.sampled_from("\u200f\u202b\ufeff\u200d\u00ad"),  # invisible
        st.sampled_from("\ufefb\ufedf\ufee0\ufdf2\ufe70\ufe76"),  # ligatures, shaped letters, isolated marks
        st.sampled_from("٠١٢٣۴۵۶12 ،.؟!»«\r\n\t\u00a0🙂"),
        st.characters(),
    )
)
