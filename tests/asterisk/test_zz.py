def test_x():
    import asterisk; print(asterisk.__file__)
    from asterisk.agi import AGI
