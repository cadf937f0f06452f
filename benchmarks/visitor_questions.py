"""What visitors might say. Written without the demo tenants' texts at hand; a test holds that none stands in them.

Everything is written the way it is spoken: lower case, numbers in words, apostrophes kept.
"""

IN_DOMAIN = {
    "riverside-vet": (
        "what are your opening hours on saturday",
        "how much is a dog vaccination",
        "can i bring my cat in this afternoon",
        "are you open on sundays",
        "my puppy has been vomiting since last night",
        "do i need an appointment to see a vet",
        "where exactly is the clinic",
        "what does it cost to neuter a cat",
        "is there parking in front of the building",
        "who do i call in an emergency at night",
        "do you treat rabbits and guinea pigs",
        "i would like to book a checkup for my dog",
        "how often should my kitten be vaccinated",
        "can i pay by credit card",
        "which of the doctors does surgery",
        "do you sell food for older cats",
        "how long does a microchip appointment take",
        "what should i do before the operation",
    ),
    "harbor-law": (
        "can i talk to a lawyer about a contract",
        "what will the first meeting with you cost me",
        "what areas of law do you practice",
        "i was fired from my job last week",
        "do you handle divorce cases",
        "where is your office located",
        "when are you open during the week",
        "can you help me write a will",
        "my landlord will not return my deposit",
        "which attorney deals with employment law",
        "do you offer payment plans",
        "what documents should i bring to the meeting",
        "is everything i tell you confidential",
        "how soon can i get an appointment",
        "do you have free parking near the office",
        "can we meet by video instead of in person",
        "what happens after i sign the agreement",
        "i need somebody to review a lease",
    ),
}
"""By tenant slug."""

OUT_OF_DOMAIN = (
    "the weather was cold and windy yesterday",
    "she bought three apples and a loaf of bread",
    "we watched a football game on television",
    "please turn left at the second traffic light",
    "the train to the city leaves at half past six",
    "he has been playing the piano since he was young",
    "my brother lives in a small house near the lake",
    "they are building a new bridge across the river",
    "could you tell me what time it is",
    "the children were singing songs in the garden",
    "i forgot to send the letter to my grandmother",
    "there are many stars in the sky tonight",
    "the company reported strong sales in the third quarter",
    "we should leave early because of the storm",
    "this coffee tastes better than the last one",
    "the president will give a speech on television",
)
"""Nothing to do with either tenant: what the general half of the mixture is for."""
