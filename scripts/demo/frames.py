"""Indirect-object frames that the corpus grammar does not produce: the test of whether the task was learnt.

`{A}` and `{B}` are the two names in order, `{S}` the one who is named again, `{O}` and `{P}` a gift
and a place. A frame ends right before the answer. The canonical frame is kept apart: its
parts are all in the grammar, its name pair is not.
"""

CANONICAL = "When {A} and {B} went to the {P}, {S} gave {O} to"

UNSEEN = (
    "Then, {A} and {B} had a lot of fun at the {P}. {S} gave {O} to",
    "Then, {A} and {B} had a long argument, and afterwards {S} said to",
    "Friends {A} and {B} found {O} at the {P}. {S} gave it to",
    "The {P} that {A} and {B} went to was famous. {S} handed {O} to",
    "Afterwards, {A} and {B} returned to the {P}. {S} decided to show {O} to",
    "When {A} and {B} were hungry at the {P}, {S} cooked some soup for",
    "Yesterday, {A} and {B} stayed at the {P}. In the evening, {S} gave {O} to",
    "{A} and {B} are neighbors. {S} often brings {O} to",
    "Long ago {A} and {B} lived near the {P}. Once {S} made {O} for",
    "After a long day at the {P}, {A} and {B} were tired. {S} gave {O} to",
    "{A} waved when {B} walked into the {P}. A few minutes later {S} passed {O} to",
    "Nobody but {A} and {B} knew about the {P}. {S} kept {O} there for",
    "It is winter, and {A} shares a house with {B}. Today {S} buys {O} for",
    "Neither {A} nor {B} had ever seen such a {P}. {S} pointed it out to",
    "{A} painted the {P} with {B} all afternoon. When the work was done, {S} lent {O} to",
    "If {A} and {B} get home early, {S} will give {O} to",
)

UNSEEN_THREE = (
    "Then, {A}, {B} and {C} had a lot of fun at the {P}. {S} and {T} gave {O} to",
    "After a long day, {A}, {B} and {C} were tired. {S} and {T} gave {O} to",
    "Long ago {A}, {B} and {C} lived near the {P}. Once {S} and {T} made {O} for",
    "Friends {A}, {B} and {C} found {O} at the {P}. {S} and {T} gave it to",
)
"""The same with a third name, `{C}`; `{S}` and `{T}` are the two who are named again."""
